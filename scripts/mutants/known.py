"""What is known of each source file, in docs/mutants, and what docs/mutants.md explains."""

import collections
import hashlib
import re

from changes import without_place

OUTCOMES = ("caught", "timeout", "unviable", "missed")


class Known:
    """What became of the changes of one file as it is now."""

    def __init__(self, root, file, text=None):
        self.file = file
        octets = (root / file).read_bytes() if text is None else text.encode()
        self.hash = hashlib.sha256(octets).hexdigest()
        self.path = root / "docs" / "mutants" / (file.replace("/", ".") + ".tsv")
        self.outcomes = {}
        if self.path.exists():
            lines = self.path.read_text().splitlines()
            # Of another text of the file it says nothing.
            if lines and lines[0] == self.head():
                self.outcomes = dict(reversed(line.split("\t", 1)) for line in lines[1:])

    def head(self):
        return f"# {self.file} {self.hash}"

    def write(self):
        """Whole or not at all, so that it may be killed here too."""
        lines = [self.head()] + [f"{outcome}\t{name}" for name, outcome in sorted(self.outcomes.items(), key=place)]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".tmp")
        new.write_text("\n".join(lines) + "\n")
        new.replace(self.path)


def place(item):
    """In the order of the file."""
    line, column, rest = item[0].split(":", 2)
    return int(line), int(column), rest


def explained(root):
    """How often docs/mutants.md explains each (file, change): ``- `FILE: CHANGE` (N times): why``."""
    found = collections.Counter()
    page = (root / "docs" / "mutants.md").read_text()
    for file, change, times in re.findall(r"^- `([^`:]+): (.+?)`(?: \((\d+) times\))?:", page, re.M):
        found[file, change] += int(times or 1)
    return found


def unexplained(known, explanations):
    """Changes of a file that no test saw and nobody explained; and what is explained without need."""
    left = {change: times for (file, change), times in explanations.items() if file == known.file}
    missed = []
    for name, outcome in sorted(known.outcomes.items(), key=place):
        if outcome != "missed":
            continue
        change = without_place(name)
        if left.get(change, 0) > 0:
            left[change] -= 1
        else:
            missed.append(name)
    return missed, [change for change, times in left.items() if times > 0]
