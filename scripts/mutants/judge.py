"""Tries changes: all that fit into one build in that build, the others one by one."""

import json
import re
import resource
import sys
import time

from changes import package_of
from plan import PATIENCE, PATIENCE_S_MIN, STAGES, WAIT, WAIT_S_MIN
from reach import Reach
from schema import SWITCH, Schema, errors
from tree import Tree

# What is learnt while building, true of a change as long as its file is the same; and how long tests take.
EMPTY = {"left_out": [], "unviable": [], "constant": [], "took": {}}
# Errors that say that something has not the type that is needed, or can't do what is asked of it.
TYPES = {"E0277", "E0308", "E0369", "E0425", "E0433", "E0599", "E0600", "E0614"}
CALLED = re.compile(r"non-const (?:associated function|method|fn|function) `(?:.*::)?(\w+)`")
# Rounds of building and leaving out what does not build in the one build.
ROUNDS_MAX = 12


class Judge:
    """Knows all changes, the tree, and how long tests take without a change."""

    def __init__(self, root, changes, say):
        self.root = root
        self.changes = changes
        self.say = say
        self.tree = Tree(root)
        self.texts = {file: changes[file][0].text for file in changes}
        # The text of each file with all changes that are in the one build.
        self.together = {}
        # Numbers are the same in each run, so that a build lasts as long as the sources do.
        every = [change for file in sorted(changes) for change in changes[file]]
        for number, change in enumerate(every, 1):
            change.number = number
        self.by_number = dict(enumerate(every, 1))
        self.notes = root / "target" / "mutants" / "notes.json"
        self.known = json.loads(json.dumps(EMPTY)) | (json.loads(self.notes.read_text()) if self.notes.exists() else {})
        # By package: which of its own tests come by which change.
        self.reach = {}
        self.unviable = set()
        # Those whose changes are in the tree.
        self.packages = []

    def note(self):
        self.notes.parent.mkdir(parents=True, exist_ok=True)
        self.notes.write_text(json.dumps(self.known))

    def ready(self, package):
        """Puts all changes of a package into the tree, and leaves out those that do not build there."""
        if package in self.packages:
            return
        self.packages.append(package)
        mine = [file for file in self.changes if package_of(file) in self.packages]
        for _ in range(ROUNDS_MAX):
            for change in self.by_number.values():
                if change.key in self.known["left_out"] or change.key in self.known["unviable"]:
                    change.number = 0
            schemas = {
                file: Schema(self.texts[file], self.changes[file], self.known["constant"]) for file in mine
            }
            self.unviable |= {change for schema in schemas.values() for change in schema.unviable}
            self.together = {file: schema.text for file, schema in schemas.items()}
            for each in self.packages:
                lib = f"crates/{each}/src/lib.rs"
                self.together[lib] = (self.root / lib).read_text() + SWITCH
            self.tree.sync(self.together)
            # What is built for it is needed for its tests anyway.
            said, well = self.tree.cargo("test", "--no-run", "-p", package, "--lib")
            if well:
                break
            self.leave_out(schemas, said)
        else:
            sys.exit("what all changes make together does not build: see scripts/mutants/schema.py")
        self.unviable |= {change for change in self.by_number.values() if change.key in self.known["unviable"]}
        these = [change for file in mine if package_of(file) == package for change in self.changes[file]]
        fit = sum(change.number > 0 for change in these)
        none = sum(change in self.unviable for change in these)
        self.say(f"{package}: {len(these)} changes, {fit} in one build, {len(these) - fit - none} alone, {none} can't be built")
        self.note()

    def leave_out(self, schemas, said):
        """Learns from what the compiler said."""
        before = json.dumps(self.known)
        strangers = []
        for file, octet, code, what in errors(said):
            function = CALLED.search(what) if code == "E0015" else None
            if function and function[1] != "mutant":
                self.remember("constant", function[1])
                continue
            numbers, inside = schemas[file].blamed(octet) if file in schemas else (set(), False)
            if not numbers:
                strangers.append(f"{file}, octet {octet}: {what}")
            for number in numbers:
                # What has no such type has none where it stands alone either; but `impl Trait` is another one for each return.
                certain = inside and code in TYPES and "-> impl" not in self.by_number[number].name
                self.remember("unviable" if certain else "left_out", self.by_number[number].key)
        if json.dumps(self.known) == before:
            sys.exit("what all changes make together does not build, and no change is to blame:\n" + "\n".join(strangers))
        self.note()

    def remember(self, where, what):
        if what not in self.known[where]:
            self.known[where].append(what)

    def patience(self, package, place):
        """How long a stage may compute, and how long it may take: without a change every test passes, or nothing here means
        anything."""
        stage = STAGES[package][place]
        name = json.dumps(stage)
        if name not in self.known["took"]:
            for file, text in self.together.items():
                self.tree.put(file, text)
            binaries = self.tree.build(stage)
            if binaries is None:
                sys.exit(f"{' '.join(stage.build)} does not build without a change")
            began, computed = time.monotonic(), computed_s()
            for binary, directory, arguments in binaries:
                outcome, by = self.tree.run(binary, directory, arguments, 0, (3600, 7200))
                if outcome != "missed":
                    sys.exit(f"{binary}: {by or outcome}, without a change")
            took = [computed_s() - computed, time.monotonic() - began]
            self.known["took"][name] = took
            self.say(f"{package}, tests {place + 1}: {took[1]:.1f} s without a change, {took[0]:.1f} s of them computing")
            self.note()
        computed, took = self.known["took"][name]
        return max(PATIENCE_S_MIN, PATIENCE * computed), max(WAIT_S_MIN, WAIT * took)

    def judge(self, change, quick, is_explained):
        """What becomes of a change, and which test saw it; quick: tried by the cheap tests only, and not built alone unless it
        is explained, which is tried by the cheap tests only too."""
        package = package_of(change.file)
        self.ready(package)
        if change in self.unviable:
            return "unviable", ""
        if quick and not change.number and not is_explained:
            return "missed", "is built alone"
        together = self.together[change.file]
        alone = change.alone(change.text)
        try:
            for place, stage in enumerate(STAGES[package][: 1 if quick or is_explained else None]):
                patience = self.patience(package, place)
                if not change.number:
                    self.tree.put(change.file, alone)
                binaries = self.tree.build(stage)
                if binaries is None:
                    return "unviable", ""
                for run in self.that_see(change, package, place, binaries, patience):
                    binary, directory, arguments, limits = run
                    outcome, by = self.tree.run(binary, directory, arguments, change.number, limits)
                    if outcome != "missed":
                        return outcome, f"{by} (tests {place + 1})"
            return "missed", ""
        finally:
            self.tree.put(change.file, together)

    def that_see(self, change, package, place, binaries, patience):
        """The runs of a stage that can see a change: of the cheap tests only those that come by it."""
        if place or not change.number:
            return [(*run, patience) for run in binaries]
        if package not in self.reach:
            self.reach[package] = Reach(self.tree, binaries, self.notes.parent)
        return self.reach[package].runs(change.number, patience)


def computed_s():
    """Processor time of all that was run and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
