"""Mutants of the rules: change one thing, run the tests, write down what happened. Started by scripts/mutants.sh.

For each source file there is docs/mutants/NAME.tsv: the SHA-256 of the file, then one line for each change with what became
of it. A file that did not change is not looked at again; when it changed, what was known of it is dropped. A change that no
test saw has to be explained in docs/mutants.md, or this ends with 1.

cargo-mutants lists the changes. It does not run them here: it builds each one, calls cargo twice for that, and runs all tests
to their end. Here all that can be are in one build (see schema.py), a run of tests ends with its first failure, and the dear
tests are run only for what the cheap ones did not see.
"""

import argparse
import collections
import pathlib
import sys
import time

from changes import listed, package_of
from judge import Judge
from known import OUTCOMES, Known, explained, unexplained
from plan import FILES
from selftest import holds
from tree import environment

ROOT = pathlib.Path(__file__).resolve().parents[2]


def say(text):
    print(text, flush=True)


def still_known(known, changes, again, explanations):
    """Drops what has to be tried again."""
    missed, _ = unexplained(known, explanations)
    names = {change.name for change in changes}
    if again == "all":
        known.outcomes = {}
    # Tests may have come since.
    known.outcomes = {name: what for name, what in known.outcomes.items() if name in names and name not in missed}


def work(arguments):
    """Judges what is not known yet, until there is nothing left or the time is over; false: there is something left."""
    until = time.monotonic() + 60 * arguments.minutes if arguments.minutes else None
    everything = listed(ROOT, environment(ROOT))
    judge = Judge(ROOT, everything, say)
    explanations = explained(ROOT)
    log_path = ROOT / "target" / "mutants" / "log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("a") as log:
        for file, changes in everything.items():
            if arguments.only and not any(only in file for only in arguments.only):
                continue
            # As it was when its changes were listed: somebody may be writing it while this runs.
            known = Known(ROOT, file, judge.texts[file])
            still_known(known, changes, arguments.again, explanations)
            todo = [change for change in changes if change.name not in known.outcomes]
            say(f"{file}: {len(changes)} changes, {len(todo)} to be tried")
            if todo:
                judge.ready(package_of(file))
            # What is built alone comes last: it takes the build away from the others.
            for change in sorted(todo, key=lambda change: change.number == 0):
                if until and time.monotonic() > until:
                    return False
                began = time.monotonic()
                # Nobody spends an hour of dear tests on what no test can see.
                is_explained = explanations[file, change.what()] > 0
                outcome, by = judge.judge(change, arguments.quick, is_explained)
                # The dear tests may see it yet.
                if outcome != "missed" or is_explained or not arguments.quick:
                    known.outcomes[change.name] = outcome
                    known.write()
                line = f"{time.monotonic() - began:6.1f} s  {outcome:8}  {file}:{change.name}  {by}"
                print(line, file=log, flush=True)
                if outcome in ("missed", "timeout") or arguments.verbose:
                    say(line)
            known.write()
    return True


def summary(complete):
    """A line a file, then what is wrong; the exit code."""
    explanations = explained(ROOT)
    totals = collections.Counter()
    wrong = []
    for package, patterns in FILES.items():
        for path in sorted({path for pattern in patterns for path in (ROOT / "crates" / package).glob(pattern)}):
            known = Known(ROOT, str(path.relative_to(ROOT)))
            counts = collections.Counter(known.outcomes.values())
            totals.update(counts)
            missed, stale = unexplained(known, explanations)
            wrong += [f"{known.file}:{name}: no test sees it" for name in missed]
            if complete and known.outcomes:
                wrong += [f"{known.file}: {change}: is explained, and a test sees it or it is gone" for change in stale]
            told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])
            say(f"{known.file}: {told or 'not tried as it is now'}")
    say(", ".join(f"{totals[outcome]} {outcome}" for outcome in OUTCOMES))
    for line in wrong:
        say(line)
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(prog="scripts/mutants.sh", description="Changes one thing in the rules at a time and looks whether a test fails.")
    parser.add_argument("only", nargs="*", help="parts of paths: only these files (decide/limits)")
    parser.add_argument("--minutes", type=float, help="stop after so long; the next run goes on")
    parser.add_argument("--again", choices=["all"], help="forget what is known of these files first")
    parser.add_argument("--quick", action="store_true", help="only the cheap tests; what they miss is named, and tried in the next run")
    parser.add_argument("--summary", action="store_true", help="only say what is known")
    parser.add_argument("--verbose", action="store_true", help="a line for each change")
    arguments = parser.parse_args()
    if not holds():
        sys.exit("the tool itself is broken")
    complete = True if arguments.summary else work(arguments)
    if not complete:
        say("the time is over; start it again to go on")
    sys.exit(summary(complete and not arguments.only))


if __name__ == "__main__":
    main()
