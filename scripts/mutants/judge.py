"""Tries changes: all that fit into one build in that build, the others one by one."""

import hashlib
import json
import sys
import time

from changes import package_of
from plan import FILES, PATIENCE, PATIENCE_S_MIN, STAGES
from schema import SWITCH, Schema, errors
from tree import Tree

# Rounds of building and leaving out what does not build in the one build.
ROUNDS_MAX = 12


class Judge:
    """Knows all changes, two trees, and how long tests take without a change."""

    def __init__(self, root, changes, say):
        self.root = root
        self.changes = changes
        self.say = say
        self.one = Tree(root, "one")
        self.alone = Tree(root, "alone")
        # Numbers are the same in each run, so that a build lasts as long as the sources do.
        every = [change for file in sorted(changes) for change in changes[file]]
        for number, change in enumerate(every, 1):
            change.number = number
        self.by_number = dict(enumerate(every, 1))
        texts = "".join((root / file).read_text() for file in sorted(changes))
        self.notes = root / "target" / "mutants" / f"notes-{hashlib.sha256(texts.encode()).hexdigest()[:16]}.json"
        self.known = json.loads(self.notes.read_text()) if self.notes.exists() else {"left_out": [], "took_s": {}}
        self.unviable = set()
        self.is_ready = False

    def note(self):
        self.notes.parent.mkdir(parents=True, exist_ok=True)
        self.notes.write_text(json.dumps(self.known))

    def ready(self):
        """Puts all changes into one tree, and leaves out those that do not build there."""
        if self.is_ready:
            return
        self.is_ready = True
        self.alone.sync({})
        for number in self.known["left_out"]:
            self.by_number[number].number = 0
        for _ in range(ROUNDS_MAX):
            schemas = {file: Schema((self.root / file).read_text(), changes) for file, changes in self.changes.items()}
            self.unviable |= {change for schema in schemas.values() for change in schema.unviable}
            instead = {file: schema.text for file, schema in schemas.items()}
            for package in FILES:
                lib = f"crates/{package}/src/lib.rs"
                instead[lib] = (self.root / lib).read_text() + SWITCH
            self.one.sync(instead)
            packages = [argument for package in FILES for argument in ("-p", package)]
            said, well = self.one.cargo("check", *packages)
            if well:
                break
            self.leave_out(schemas, said)
        else:
            sys.exit("what all changes make together does not build: see scripts/mutants/schema.py")
        fit = sum(change.number > 0 for changes in self.changes.values() for change in changes)
        self.say(f"{fit} changes of {len(self.by_number)} are in one build, {len(self.unviable)} can't be written")
        self.note()

    def leave_out(self, schemas, said):
        blamed = set()
        strangers = []
        for file, octet, what in errors(said):
            numbers = schemas[file].blamed(octet) if file in schemas else set()
            blamed |= numbers
            if not numbers:
                strangers.append(f"{file}, octet {octet}: {what}")
        if not blamed:
            sys.exit("what all changes make together does not build, and no change is to blame:\n" + "\n".join(strangers))
        for number in blamed:
            self.by_number[number].number = 0
        self.known["left_out"] += sorted(blamed)
        self.note()

    def patience(self, package, place):
        """How long a stage may take: without a change every test passes, or nothing here means anything."""
        stage = STAGES[package][place]
        name = json.dumps(stage)
        if name not in self.known["took_s"]:
            binaries = self.one.build(stage)
            if binaries is None:
                sys.exit(f"{' '.join(stage.build)} does not build without a change")
            began = time.monotonic()
            for binary, directory, arguments in binaries:
                outcome, by = self.one.run(binary, directory, arguments, 0, 3600)
                if outcome != "missed":
                    sys.exit(f"{binary}: {by or outcome}, without a change")
            self.known["took_s"][name] = time.monotonic() - began
            self.say(f"{package}, tests {place + 1}: {self.known['took_s'][name]:.1f} s without a change")
            self.note()
        return max(PATIENCE_S_MIN, PATIENCE * self.known["took_s"][name])

    def judge(self, change):
        """What becomes of a change, and which test saw it."""
        self.ready()
        if change in self.unviable:
            return "unviable", ""
        package = package_of(change.file)
        tree = self.one if change.number else self.alone
        source = (self.root / change.file).read_text()
        try:
            if not change.number:
                tree.put(change.file, change.alone(source))
            for place, stage in enumerate(STAGES[package]):
                seconds = self.patience(package, place)
                binaries = tree.build(stage)
                if binaries is None:
                    return "unviable", ""
                for binary, directory, arguments in binaries:
                    outcome, by = tree.run(binary, directory, arguments, change.number, seconds)
                    if outcome != "missed":
                        return outcome, f"{by} (tests {place + 1})"
            return "missed", ""
        finally:
            if not change.number:
                tree.put(change.file, source)
