"""Which tests come by which change: no other test can see it.

Without a change, each test is run alone and writes down the changes that it comes by. A change is then tried by those tests
only, the quick ones first. What no test comes by is missed at once.
"""

import collections
import hashlib
import json
import pathlib
import tempfile
import time

from plan import PATIENCE, WAIT

# So many of the quickest are run together first: mostly one of them sees the change, and the others are spared.
FIRST = 8
# One test, without a change, may compute and take so many seconds.
PATIENCE_S = (600, 1800)
# With a change the tests of a run may compute ten times as long as without, and this.
LOOP_S = 5
# They may take twenty times as long, and this: an engine that answers nobody keeps its test waiting for ever.
WAIT_S = 30


class Reach:
    """Of one stage's binaries as they are built now."""

    def __init__(self, tree, binaries, kept):
        self.tree = tree
        self.binaries = binaries
        digest = hashlib.sha256()
        for binary, _, arguments in binaries:
            digest.update(pathlib.Path(binary).read_bytes() + json.dumps(arguments).encode())
        path = kept / f"reach-{digest.hexdigest()[:16]}.json"
        if not path.exists():
            path.write_text(json.dumps(self.learnt()))
        # [place of the binary, test, seconds, numbers], the quickest first.
        self.by_number = collections.defaultdict(list)
        for place, test, seconds, numbers in sorted(json.loads(path.read_text()), key=lambda row: row[2]):
            for number in numbers:
                self.by_number[number].append((place, test, seconds))

    def learnt(self):
        rows = []
        with tempfile.TemporaryDirectory() as directory:
            for place, (binary, home, arguments) in enumerate(self.binaries):
                for test in self.tree.tests(binary, home, arguments):
                    seen = pathlib.Path(directory) / "seen"
                    seen.unlink(missing_ok=True)
                    began = time.monotonic()
                    outcome, by = self.tree.run(binary, home, ["--exact", test], 0, PATIENCE_S, seen)
                    if outcome != "missed":
                        raise SystemExit(f"{test}: {by or outcome}, without a change")
                    numbers = sorted(map(int, seen.read_text().split())) if seen.exists() else []
                    rows.append([place, test, time.monotonic() - began, numbers])
        return rows

    def runs(self, number, patience):
        """(binary, directory, arguments, patience) of the runs that can see a change."""
        tests = self.by_number[number]
        for some in (tests[:FIRST], tests[FIRST:]):
            for place, (binary, home, _) in enumerate(self.binaries):
                names = [test for at, test, _ in some if at == place]
                took = sum(seconds for at, _, seconds in some if at == place)
                if names:
                    limits = (min(patience[0], LOOP_S + PATIENCE * took), min(patience[1], WAIT_S + WAIT * took))
                    yield binary, home, ["--exact", *names], limits
