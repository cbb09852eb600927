"""Mutants of the rules: change one thing, build, test, write down what happened. Started by scripts/mutants.sh.

For each source file of FILES there is docs/mutants/NAME.tsv: the SHA-256 of the file, then one line for each change with what
became of it. A file that did not change is not looked at again; when it changed, what was known of it is dropped. A change
that no test saw has to be explained in docs/mutants.md, or this ends with 1.

cargo-mutants lists the changes. It does not run them here: it would call cargo twice for each, run all tests of a crate to
their end, and know nothing of what was done before. Here one tree stays warm, a test run ends with its first failure, and the
dear tests are run only for what the cheap ones did not see.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "mutants"
TREE = WORK / "tree"
RESULTS = ROOT / "docs" / "mutants"
PAGE = ROOT / "docs" / "mutants.md"

# What is changed: the decision, the fold, the limits, and the engine's promises about ids, batches and timers.
FILES = {
    "domain": ["src/decide/*.rs", "src/apply.rs", "src/rules/limit.rs"],
    "engine": ["src/ids.rs", "src/run.rs", "src/decider.rs", "src/timers.rs"],
}

# Tests in the order in which they are tried: (what cargo builds, what of it is run). The next are tried only when the ones
# before saw nothing. docs/mutants.md has what each costs.
STAGES = {
    "domain": [
        (["-p", "domain", "--lib"], ["--skip", "tests::laws::", "--skip", "tests::reach::", "--skip", "tests::history::"]),
        (["-p", "domain", "--lib"], ["tests::laws::", "tests::reach::", "tests::history::"]),
        (["-p", "engine"], []),
        (["-p", "lab", "--no-default-features"], []),
    ],
    "engine": [
        (["-p", "engine"], []),
        (["-p", "lab", "--no-default-features"], []),
    ],
}

# Changes that say nothing: what a debugger shows.
SKIPPED = re.compile(r"impl (fmt::|core::fmt::)?Debug for")

# A test that takes this many times what it takes without a change hangs.
PATIENCE = 10
PATIENCE_S_MIN = 60
BUILD_S_MAX = 900
# A change may make a loop eat memory: the machine is not ours alone.
MEMORY_MAX = 6 << 30

OUTCOMES = ("caught", "timeout", "unviable", "missed")


class Known:
    """What is known of one source file."""

    def __init__(self, file):
        self.file = file
        self.hash = hashlib.sha256((ROOT / file).read_bytes()).hexdigest()
        self.path = RESULTS / (file.replace("/", ".") + ".tsv")
        self.outcomes = {}
        if self.path.exists():
            lines = self.path.read_text().splitlines()
            if lines and lines[0] == self.head():
                for line in lines[1:]:
                    outcome, change = line.split("\t", 1)
                    self.outcomes[change] = outcome

    def head(self):
        return f"# {self.file} {self.hash}"

    def write(self):
        """Whole or not at all, so that it may be killed here too."""
        lines = [self.head()] + [f"{outcome}\t{change}" for change, outcome in sorted(self.outcomes.items(), key=place)]
        RESULTS.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".tmp")
        new.write_text("\n".join(lines) + "\n")
        new.replace(self.path)


def place(item):
    """In the order of the file."""
    line, column, rest = item[0].split(":", 2)
    return int(line), int(column), rest


def without_place(change):
    """A change's name that stays the same when lines move: what docs/mutants.md explains."""
    return change.split(":", 2)[2].strip()


def say(text):
    print(text, flush=True)


def sync():
    """Makes the tree what the repository is, leaving unchanged files alone so that cargo builds only what changed."""
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    wanted = {name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()}
    for name in wanted:
        source, copy = ROOT / name, TREE / name
        if not copy.is_file() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            shutil.copymode(source, copy)
    for copy in TREE.rglob("*"):
        if copy.is_file() and str(copy.relative_to(TREE)) not in wanted:
            copy.unlink()


def listed(package):
    """Every change of a package's files, as cargo-mutants finds them."""
    patterns = [argument for file in FILES[package] for argument in ("--file", f"crates/{package}/{file}")]
    command = ["cargo", "mutants", "--list", "--json", "-p", package, *patterns]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=environment())
    return [change for change in json.loads(found.stdout) if not SKIPPED.search(change["name"])]


def name_of(change):
    """`LINE:COLUMN: what is changed`."""
    return change["name"].removeprefix(change["file"] + ":").replace("\t", " ")


def mutated(text, change):
    """The file with the change."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    span = change["span"]
    at = [starts[span[end]["line"] - 1] + span[end]["column"] - 1 for end in ("start", "end")]
    return text[: at[0]] + change["replacement"] + text[at[1] :]


def environment():
    env = dict(os.environ)
    env["CARGO_TARGET_DIR"] = str(WORK / "build")
    env["CARGO_INCREMENTAL"] = "1"
    env["CARGO_TERM_COLOR"] = "never"
    env["UPDATE_EXPECT"] = "0"
    env.pop("RUST_BACKTRACE", None)
    return env


def build(what):
    """Test binaries with the directory that each is run in; `None`: it does not build."""
    command = ["cargo", "test", "--no-run", "--profile", "mutants", "--locked", "--offline", "--message-format=json", *what]
    try:
        built = subprocess.run(command, cwd=TREE, capture_output=True, text=True, env=environment(), timeout=BUILD_S_MAX)
    except subprocess.TimeoutExpired:
        return None
    if built.returncode != 0:
        return None
    binaries = []
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["profile"]["test"]:
            binaries.append((message["executable"], str(pathlib.Path(message["manifest_path"]).parent)))
    return binaries


def end(process):
    """The whole group: a test may have started others."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run(binary, directory, arguments, seconds):
    """`caught` with the first failure, `timeout`, or `missed`; and the test that failed."""
    command = [binary, *arguments]
    env = environment() | {"CARGO_MANIFEST_DIR": directory}
    limits = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    process = subprocess.Popen(command, cwd=directory, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               start_new_session=True, preexec_fn=limits)
    timer = signal.signal(signal.SIGALRM, lambda *_: end(process))
    late = time.monotonic() + seconds
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        for line in process.stdout:
            failed = re.match(r"test (\S+)( - should panic)? \.\.\. FAILED", line)
            if failed:
                return "caught", failed[1]
        status = process.wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, timer)
        end(process)
    if time.monotonic() >= late:
        return "timeout", ""
    return ("missed", "") if status == 0 else ("caught", f"it ended with {status}")


class Bench:
    """Builds and tests; knows how long each stage takes without a change."""

    def __init__(self, package):
        self.package = package
        self.patience = {}

    def baseline(self, stage):
        """Without a change every test passes, or nothing here means anything."""
        what, arguments = STAGES[self.package][stage]
        began = time.monotonic()
        binaries = build(what)
        if binaries is None:
            sys.exit(f"{' '.join(what)} does not build without a change")
        built = time.monotonic()
        for binary, directory in binaries:
            outcome, test = run(binary, directory, arguments, 3600)
            if outcome != "missed":
                sys.exit(f"{binary}: {test or outcome} without a change")
        took = time.monotonic() - built
        self.patience[stage] = max(PATIENCE_S_MIN, PATIENCE * took)
        say(f"{self.package}, tests {stage + 1}: built in {built - began:.1f} s, pass in {took:.1f} s without a change")

    def judge(self, file, change):
        """What becomes of a change, and by which test."""
        source = (ROOT / file).read_text()
        (TREE / file).write_text(mutated(source, change))
        built_with = None
        for stage, (what, arguments) in enumerate(STAGES[self.package]):
            if stage not in self.patience:
                (TREE / file).write_text(source)
                self.baseline(stage)
                (TREE / file).write_text(mutated(source, change))
                built_with = None
            if built_with != what:
                binaries = build(what)
                built_with = what
            if binaries is None:
                # What one stage could build another can too: the change is in a crate that all of them use.
                return "unviable", ""
            for binary, directory in binaries:
                outcome, test = run(binary, directory, arguments, self.patience[stage])
                if outcome != "missed":
                    return outcome, f"{test} ({stage + 1})"
        return "missed", ""


def explained():
    """How often docs/mutants.md explains each (file, change): `- \\`FILE: CHANGE\\` (N times): why`."""
    found = collections.Counter()
    for file, change, times in re.findall(r"^- `([^`:]+): (.+?)`(?: \((\d+) times\))?:", PAGE.read_text(), re.M):
        found[file, change] += int(times or 1)
    return found


def unexplained(known, explanations):
    """Changes of a file that no test saw and nobody explained."""
    left = {change: times for (file, change), times in explanations.items() if file == known.file}
    out = []
    for change, outcome in sorted(known.outcomes.items(), key=place):
        if outcome != "missed":
            continue
        name = without_place(change)
        if left.get(name, 0) > 0:
            left[name] -= 1
        else:
            out.append(change)
    return out, [change for change, times in left.items() if times > 0]


def work(arguments):
    """Judges what is not known yet, until there is nothing left or the time is over."""
    TREE.mkdir(parents=True, exist_ok=True)
    sync()
    until = time.monotonic() + 60 * arguments.minutes if arguments.minutes else None
    log = (WORK / "log").open("a")
    for package in FILES:
        changes = collections.defaultdict(list)
        for change in listed(package):
            if not arguments.only or any(only in change["file"] for only in arguments.only):
                changes[change["file"]].append(change)
        bench = Bench(package)
        for file, changes in changes.items():
            known = Known(file)
            again = unexplained(known, explained())[0]
            names = {name_of(change) for change in changes}
            known.outcomes = {
                change: outcome
                for change, outcome in known.outcomes.items()
                if change in names and change not in again and arguments.again != "all"
            }
            todo = [change for change in changes if name_of(change) not in known.outcomes]
            say(f"{file}: {len(changes)} changes, {len(todo)} to be tried")
            for change in todo:
                if until and time.monotonic() > until:
                    return False
                began = time.monotonic()
                outcome, by = bench.judge(file, change)
                took = time.monotonic() - began
                known.outcomes[name_of(change)] = outcome
                known.write()
                line = f"{took:6.1f} s  {outcome:8}  {file}:{name_of(change)}  {by}"
                print(line, file=log, flush=True)
                if outcome in ("missed", "timeout") or arguments.verbose:
                    say(line)
            (TREE / file).write_text((ROOT / file).read_text())
            known.write()
    return True


def summary(complete):
    """A line a file, what is not explained, and whether that is all."""
    explanations = explained()
    totals = collections.Counter()
    wrong = []
    for package, patterns in FILES.items():
        for pattern in patterns:
            for path in sorted((ROOT / "crates" / package).glob(pattern)):
                known = Known(str(path.relative_to(ROOT)))
                counts = collections.Counter(known.outcomes.values())
                totals.update(counts)
                missed, stale = unexplained(known, explanations)
                wrong += [f"{known.file}:{change}: no test sees it" for change in missed]
                if known.outcomes and complete:
                    wrong += [f"{known.file}: {change}: explained, and a test sees it or it is gone" for change in stale]
                told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])
                say(f"{known.file}: {told or 'not tried as it is now'}")
    say(", ".join(f"{totals[outcome]} {outcome}" for outcome in OUTCOMES))
    for line in wrong:
        say(line)
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description="Changes one thing in the rules at a time and looks whether a test fails.")
    parser.add_argument("only", nargs="*", help="parts of paths: only these files (decide/limits)")
    parser.add_argument("--minutes", type=float, help="stop after so long; the next run goes on")
    parser.add_argument("--again", choices=["all"], help="forget what is known of these files first")
    parser.add_argument("--summary", action="store_true", help="only say what is known")
    parser.add_argument("--verbose", action="store_true", help="a line for each change")
    arguments = parser.parse_args()
    complete = True if arguments.summary else work(arguments)
    if not complete:
        say("the time is over; start it again to go on")
    sys.exit(summary(complete and not arguments.only))


if __name__ == "__main__":
    main()
