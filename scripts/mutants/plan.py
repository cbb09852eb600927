"""What is changed, and which tests look at it in which order."""

import re
from typing import NamedTuple

# The decision, the fold, the limits, and the engine's promises about ids, batches and timers.
FILES = {
    "domain": ["src/decide/*.rs", "src/apply.rs", "src/rules/limit.rs"],
    "engine": ["src/ids.rs", "src/run.rs", "src/decider.rs", "src/timers.rs", "src/timers/*.rs"],
}

# Left out: what a debugger shows, and what tests are made of.
SKIPPED = re.compile(r"impl (fmt::|core::fmt::)?Debug for|/tests\.rs:")


class Stage(NamedTuple):
    """Tests that are run together. The next stage is for what the ones before did not see."""

    # What cargo is told to build.
    build: list
    # Which of the binaries are run, by their target's name, and with what.
    run: dict


SLOW = ["tests::laws::", "tests::reach::"]
NOT_SLOW = [argument for test in [*SLOW, "generations::tests::many", "rules::parse::", "rules::dial::"] for argument in ("--skip", test)]
SIMULATOR = Stage(["-p", "lab", "--bin", "sonmul-lab"], {"sonmul-lab": ["sim", "--seeds", "60"]})

# docs/mutants.md says what each costs.
STAGES = {
    "domain": [
        Stage(["-p", "domain", "--lib"], {"domain": NOT_SLOW}),
        Stage(["-p", "domain", "--lib"], {"domain": SLOW}),
        Stage(["-p", "engine"], {"engine": [], "it": []}),
        SIMULATOR,
    ],
    "engine": [
        Stage(["-p", "engine"], {"engine": [], "it": []}),
        SIMULATOR,
    ],
}

# Our own crates, which are built without anything for a debugger.
OURS = ["api", "domain", "edges", "engine", "lab", "paper", "sonmul", "store", "wire"]

# A run that computes this many times as long as without a change loops: counted by its own processor time, for the machine may
# have other things to do.
PATIENCE = 10
PATIENCE_S_MIN = 60
# One that does not end, however little it computes, waits for something that never comes.
WAIT = 20
WAIT_S_MIN = 300
BUILD_S_MAX = 3600
# A change may make a loop eat memory: the machine is not ours alone.
MEMORY_MAX = 6 << 30
