"""The changes of a source file, as cargo-mutants lists them, and each of them made alone."""

import collections
import hashlib
import json
import subprocess

from plan import FILES, SKIPPED


class Change:
    """One thing that is changed in one file."""

    def __init__(self, listed, text):
        self.file = listed["file"]
        self.genre = listed["genre"]
        self.replacement = listed["replacement"]
        # `LINE:COLUMN: what is changed`, on one line.
        self.name = " ".join(listed["name"].removeprefix(self.file + ":").split())
        lines = text.split("\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        span = listed["span"]
        # Places in the file's text; cargo-mutants counts lines and columns from 1.
        self.begin, self.end = (starts[span[end]["line"] - 1] + span[end]["column"] - 1 for end in ("start", "end"))
        # Of the whole file.
        self.text = text
        # What is learnt of it while building is true as long as its file is the same.
        self.key = f"{hashlib.sha256(text.encode()).hexdigest()[:16]} {self.file}:{self.name}"
        # Its place in the one build that has all changes; 0: it has none there.
        self.number = 0

    def what(self):
        """What is changed, without where: an explanation stays right when lines move."""
        return without_place(self.name)

    def alone(self, text):
        """The file with this change and no other."""
        return text[: self.begin] + self.replacement + text[self.end :]


def listed(root, env):
    """Every change of every file, by file, in the order of the text."""
    found = collections.defaultdict(list)
    for package, files in FILES.items():
        patterns = [argument for file in files for argument in ("--file", f"crates/{package}/{file}")]
        command = ["cargo", "mutants", "--list", "--json", "-p", package, *patterns]
        said = subprocess.run(command, cwd=root, check=True, capture_output=True, env=env)
        for change in json.loads(said.stdout):
            if not SKIPPED.search(change["name"]):
                file = change["file"]
                found[file].append(Change(change, (root / file).read_text()))
    for changes in found.values():
        changes.sort(key=lambda change: (change.begin, change.end, change.name))
    return found


def without_place(name):
    return name.split(":", 2)[2].strip()


def package_of(file):
    return file.split("/")[1]
