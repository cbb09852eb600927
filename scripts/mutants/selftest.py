"""What the tool itself promises, looked at before each run: it takes a blink."""

import json
import pathlib
import tempfile
import unittest

from changes import Change
from known import Known, explained, unexplained
from schema import Schema, errors

TEXT = """fn f(a: i64, é: bool) -> Option<i64> {
    if a > 3 && !é { return None; }
    match a { x if x == 2 => Some(-x), 3 => None, _ => Some(1) }
}
fn g(s: S, b: i64) -> S { S { a: 1, b, ..s } }
"""


def change(genre, what, replacement, number, nth=0):
    """A change of the nth `what` in TEXT, as cargo-mutants would list it."""
    begin = -1
    for _ in range(nth + 1):
        begin = TEXT.index(what, begin + 1)

    def at(place):
        return {"line": TEXT.count("\n", 0, place) + 1, "column": place - (TEXT.rfind("\n", 0, place) + 1) + 1}

    span = {"start": at(begin), "end": at(begin + len(what))}
    name = f"src/f.rs:{span['start']['line']}:{span['start']['column']}: {what} {replacement}"
    made = Change({"file": "src/f.rs", "genre": genre, "replacement": replacement, "name": name, "span": span}, TEXT)
    made.number = number
    return made


class Schemas(unittest.TestCase):
    def test_each_genre_has_its_form(self):
        body = TEXT[TEXT.index("if a > 3") : TEXT.rindex("\n}")]
        changes = [
            change("FnValue", body, "None", 1),
            change("BinaryOperator", ">", "<", 2, nth=2),
            change("BinaryOperator", "&&", "||", 3),
            change("UnaryOperator", "!", "", 4),
            change("MatchArmGuard", "x == 2", "true", 5),
            change("BinaryOperator", "==", "!=", 6),
            change("UnaryOperator", "-", "", 7, nth=1),
            change("MatchArm", "3 => None,", "", 8),
            change("StructField", "Some", "", 9),
            change("StructField", "a: 1,", "", 10),
            change("StructField", "b,", "", 11),
        ]
        made = Schema(TEXT, changes, [])
        self.assertEqual([change.number for change in changes], [1, 2, 3, 4, 5, 6, 7, 8, 0, 10, 11])
        for arm in ("return /*<1*/ None", "a < 3", "a > 3 || !é", "/*<4*/ é /*4>*/", "true", "x != 2", "/*<7*/ x /*7>*/", "!= 8", "(s).a /*10>*/", "b: (/*<11*/"):
            self.assertIn(arm, made.text)
        # Without what was added it is the text that it was.
        self.assertEqual(made.octets.decode(), TEXT)
        self.assertEqual(changes[3].alone(TEXT), TEXT.replace("!é", "é"))

    def test_an_error_blames_the_innermost_change(self):
        made = Schema(TEXT, [change("BinaryOperator", "&&", "||", 3), change("BinaryOperator", ">", "<", 2, nth=2)], [])
        octets = made.text.encode()
        self.assertEqual(made.blamed(octets.index(b"a < 3")), ({2}, True))
        self.assertEqual(made.blamed(octets.index(b"a > 3 || ")), ({3}, True))
        self.assertEqual(made.blamed(octets.index(b"match a")), (set(), False))
        span = {"file_name": "src/f.rs", "byte_start": 7, "is_primary": True}
        told = {"level": "error", "message": "no", "code": {"code": "E0277"}, "spans": [span]}
        said = json.dumps({"reason": "compiler-message", "message": told})
        self.assertEqual(list(errors(said)), [("src/f.rs", 7, "E0277", "no")])

    def test_constant_functions_are_none_unless_they_must_be(self):
        text = TEXT.replace("fn f", "const fn f")
        self.assertNotIn("const fn", Schema(text, [], []).emitted())
        self.assertIn("const fn", Schema(text, [], ["f"]).emitted())


class Results(unittest.TestCase):
    def test_what_is_known_lasts_as_long_as_the_file(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "f.rs").write_text(TEXT)
            (root / "docs").mkdir()
            known = Known(root, "f.rs")
            known.outcomes = {"10:1: a": "missed", "2:1: a": "missed", "3:1: b": "caught"}
            known.write()
            self.assertEqual(Known(root, "f.rs").outcomes, known.outcomes)
            (root / "docs" / "mutants.md").write_text("- `f.rs: a`: why\n- `f.rs: c` (2 times): why\n- `g.rs: a`: why\n")
            missed, stale = unexplained(known, explained(root))
            self.assertEqual((missed, stale), (["10:1: a"], ["c"]))
            (root / "f.rs").write_text(TEXT + "\n")
            self.assertEqual(Known(root, "f.rs").outcomes, {})


def holds():
    suite = unittest.defaultTestLoader.loadTestsFromModule(__import__("selftest"))
    return unittest.TextTestRunner(verbosity=0).run(suite).wasSuccessful()


if __name__ == "__main__":
    unittest.main()
