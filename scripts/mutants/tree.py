"""A copy of the repository that changes are made in, and what is built and run there."""

import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

from plan import BUILD_S_MAX, MEMORY_MAX, OURS


def environment(root):
    env = dict(os.environ)
    # Its own: cargo tells our crates apart by their place in the workspace, not by where the workspace is.
    env["CARGO_TARGET_DIR"] = str(root / "target" / "mutants" / "build")
    env["CARGO_INCREMENTAL"] = "1"
    env["CARGO_TERM_COLOR"] = "never"
    # Whatever its value is: expectations would be rewritten, and every test would pass.
    env.pop("UPDATE_EXPECT", None)
    env.pop("RUST_BACKTRACE", None)
    return env


class Tree:
    """The copy. Files that did not change are left alone, so that cargo builds only what did."""

    def __init__(self, root):
        self.root = root
        self.path = root / "target" / "mutants" / "tree"
        self.env = environment(root)
        # As cargo reads it now, by what it was asked to build.
        self.built = {}

    def sync(self, instead):
        """Makes it what the repository is, but for the texts in `instead`, by file."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=self.root, check=True, capture_output=True
        )
        wanted = {name for name in listed.stdout.decode().split("\0") if name and (self.root / name).is_file()}
        for name in wanted:
            octets = instead[name].encode() if name in instead else (self.root / name).read_bytes()
            copy = self.path / name
            if not copy.is_file() or copy.read_bytes() != octets:
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(octets)
                shutil.copymode(self.root / name, copy)
        for copy in self.path.rglob("*"):
            if copy.is_file() and str(copy.relative_to(self.path)) not in wanted:
                copy.unlink()
        self.built = {}

    def put(self, file, text):
        """One file, unless that is what it is."""
        path = self.path / file
        if path.read_text() != text:
            path.write_text(text)
            self.built = {}

    def cargo(self, *arguments):
        """What cargo said as JSON, and whether it went well."""
        # Nobody looks at these binaries with a debugger.
        bare = [argument for crate in OURS for argument in ("--config", f"profile.dev.package.{crate}.debug=false")]
        verb, *rest = arguments
        command = ["cargo", verb, "--locked", "--offline", "--message-format=json", *bare, *rest]
        try:
            said = subprocess.run(command, cwd=self.path, capture_output=True, text=True, env=self.env, timeout=BUILD_S_MAX)
        except subprocess.TimeoutExpired:
            return "", False
        return said.stdout, said.returncode == 0

    def build(self, stage):
        """Binaries of a stage with the directory that each is run in, by target; `None`: it does not build."""
        asked = tuple(stage.build)
        if asked not in self.built:
            # Binaries that are no tests are built plainly, or their harness would be all that is in them.
            verb = ["build"] if "--bin" in stage.build else ["test", "--no-run"]
            said, well = self.cargo(*verb, *stage.build)
            self.built[asked] = dict(executables(said)) if well else None
        binaries = self.built[asked]
        return binaries and [(*binaries[name], arguments) for name, arguments in stage.run.items()]

    def tests(self, binary, directory, arguments):
        """Names of the tests that a run with these arguments has."""
        env = self.env | {"CARGO_MANIFEST_DIR": directory}
        command = [binary, *arguments, "--list", "--format", "terse"]
        said = subprocess.run(command, cwd=directory, env=env, check=True, capture_output=True, text=True)
        return re.findall(r"^(\S+): test$", said.stdout, re.M)

    def run(self, binary, directory, arguments, number, patience, seen=None):
        """`caught`, `timeout` or `missed`, and by what: ends with the first test that fails. `patience`: how many seconds it may
        compute, and take. `seen`: the file that gets the numbers of all changes that the run comes by."""
        computing, seconds = patience
        env = self.env | {"CARGO_MANIFEST_DIR": directory, "MUTANT": str(number)}
        if seen:
            env["MUTANTS_SEEN"] = str(seen)
        process = subprocess.Popen(
            [binary, *arguments],
            cwd=directory,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: confine(int(computing)),
        )
        late = time.monotonic() + seconds
        before = signal.signal(signal.SIGALRM, lambda *_: kill(process))
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            for line in process.stdout:
                failed = re.match(r"test (\S+)( - should panic)? \.\.\. FAILED", line)
                if failed:
                    return "caught", failed[1]
            status = process.wait()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            kill(process)
            process.wait()
        if time.monotonic() >= late or status == -signal.SIGXCPU:
            return "timeout", ""
        return ("missed", "") if status == 0 else ("caught", f"{pathlib.Path(binary).name} ended with {status}")


def confine(computing):
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (computing, computing + 1))


def executables(said):
    for line in said.splitlines():
        message = json.loads(line)
        if message.get("executable"):
            directory = str(pathlib.Path(message["manifest_path"]).parent)
            yield message["target"]["name"], (message["executable"], directory)


def kill(process):
    """The whole group: a test may have started others."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
