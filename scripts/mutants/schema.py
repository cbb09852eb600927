"""All changes of a file in one text: a number says which of them is on.

`a > b` becomes `(match crate::mutant(&[17, 18]) { 17 => { a == b } 18 => { a < b } _ => { a > b } })`, and a function that is to
answer `None` begins with `if crate::mutant(&[19]) == 19 { return None; }`; a field that is left out takes its value from the
`..base`. Then one build has hundreds of changes, and trying one is
running the tests with its number in the environment.

Constant functions can't ask, so they are none here, unless a constant needs them. A change that has no such form, or does not
build in it, has the number 0 and is built alone.
The text that a change replaces is put around the expression that it stands in, so an operator that would bind otherwise
keeps its operands: `a && b || c` with its `&&` changed is `(a || b) || c`.
"""

import json
import re

import tree_sitter
import tree_sitter_rust

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))

# Added to the crate: the number that is on, read once. Asked to, it also writes down where a run comes by.
SWITCH = """
#[doc(hidden)]
pub fn mutant(here: &[u32]) -> u32 {
    use std::io::Write as _;
    use std::sync::{Mutex, OnceLock, PoisonError};
    static ON: OnceLock<(u32, Option<std::ffi::OsString>)> = OnceLock::new();
    static SEEN: Mutex<std::collections::BTreeSet<u32>> = Mutex::new(std::collections::BTreeSet::new());
    let (on, told) = ON.get_or_init(|| {
        let on = std::env::var("MUTANT").ok().and_then(|on| on.parse().ok()).unwrap_or(0);
        (on, std::env::var_os("MUTANTS_SEEN"))
    });
    if let Some(file) = told {
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        for number in here {
            if seen.insert(*number) {
                let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
                let _ = file.and_then(|mut file| writeln!(file, "{number}"));
            }
        }
    }
    *on
}
"""


class Schema:
    """One file with its changes."""

    def __init__(self, text, changes, constant):
        self.octets = text.encode()
        # Names of functions that must stay constant.
        self.constant = constant
        # By the node that is wrapped: (begin, end, type).
        self.variants = {}
        self.inserts = {}
        self.guards = {}
        # Changes that the grammar itself forbids.
        self.unviable = []
        tree = PARSER.parse(self.octets)
        for change in changes:
            if change.number:
                self.place(tree.root_node, text, change)
        self.root = tree.root_node
        self.text = self.emitted()

    def place(self, root, text, change):
        """Finds where a change belongs; sets its number to 0 where it belongs nowhere."""
        begin, end = (len(text[:at].encode()) for at in (change.begin, change.end))
        node = root.descendant_for_byte_range(begin, end)
        exact = (node.start_byte, node.end_byte) == (begin, end)
        parent = node.parent
        if change.genre == "FnValue":
            while node and not (node.type == "block" and node.parent.type == "function_item"):
                node = node.parent
            if node:
                self.inserts.setdefault(key(node), []).append((change.number, change.replacement))
                return
        elif change.genre == "BinaryOperator" and exact and parent.type in ("binary_expression", "compound_assignment_expr"):
            left, right = (self.octets[n.start_byte : n.end_byte].decode() for n in (parent.children[0], parent.children[-1]))
            self.vary(parent, change, f"{left} {change.replacement} {right}")
            return
        elif change.genre == "BinaryOperator" and exact and parent.type == "let_chain":
            # Only `&&` joins what a `let` is in.
            self.unviable.append(change)
        elif change.genre == "UnaryOperator" and exact and parent.type == "unary_expression":
            self.vary(parent, change, self.octets[parent.children[-1].start_byte : parent.end_byte].decode())
            return
        elif change.genre == "MatchArmGuard":
            while exact and parent and (parent.start_byte, parent.end_byte) == (begin, end):
                node, parent = parent, parent.parent
            if exact and parent.type == "match_pattern" and not node.type.startswith("let_"):
                self.vary(node, change, change.replacement)
                return
        elif change.genre == "MatchArm":
            while node and node.type != "match_arm":
                node = node.parent
            pattern = node and node.child_by_field_name("pattern")
            guard = pattern and pattern.child_by_field_name("condition")
            if pattern and not guard:
                self.guards.setdefault(key(pattern), []).append(change.number)
                return
        elif change.genre == "StructField" and self.from_base(root, begin, change):
            return
        change.number = 0

    def from_base(self, root, begin, change):
        """A field that is left out is what the `..base` says; false: there is none."""
        field = root.descendant_for_byte_range(begin, begin + 1)
        while field and field.type not in ("field_initializer", "shorthand_field_initializer"):
            field = field.parent
        bases = [node for node in field.parent.children if node.type == "base_field_initializer"] if field else []
        if not bases:
            return False
        base = self.octets[bases[0].start_byte + len("..") : bases[0].end_byte].decode()
        name = self.octets[field.start_byte : field.end_byte].decode().split(":")[0].strip()
        self.vary(field.child_by_field_name("value") or field, change, f"({base}).{name}")
        return True

    def vary(self, node, change, instead):
        self.variants.setdefault(key(node), []).append((change.number, instead))

    def emitted(self):
        return self.octets[: self.root.start_byte].decode() + self.emit(self.root).decode()

    def emit(self, node):
        """The node's text with everything in it that can be changed."""
        out, at = [], node.start_byte
        for child in node.children:
            out += [self.octets[at : child.start_byte], self.emit(child)]
            at = child.end_byte
        text = b"".join(out) + self.octets[at : node.end_byte]
        if node.type == "function_modifiers" and self.name_of(node.parent) not in self.constant:
            text = text.replace(b"const", b"")
        for number, value in self.inserts.get(key(node), []):
            answer = f"/*<{number}*/ if crate::mutant(&[{number}]) == {number} {{ return /*<{number}*/ {value} /*{number}>*/; }} /*{number}>*/"
            text = text[:1] + answer.encode() + text[1:]
        for number in self.guards.get(key(node), []):
            text += f" /*<{number}*/ if crate::mutant(&[{number}]) != {number} /*{number}>*/".encode()
        variants = self.variants.get(key(node), [])
        if variants:
            # The original operands: nothing else is on at the same time.
            arms = " ".join(f"{number} => {{ /*<{number}*/ {value} /*{number}>*/ }}" for number, value in variants)
            numbers = ",".join(str(number) for number, _ in variants)
            head = f"(/*<{numbers}*/ match crate::mutant(&[{numbers}]) {{ {arms} _ => {{ "
            field = text + b": " if node.type == "shorthand_field_initializer" else b""
            text = field + head.encode() + text + f" }} }} /*{numbers}>*/)".encode()
        return text

    def name_of(self, function):
        name = function.child_by_field_name("name")
        return name and self.octets[name.start_byte : name.end_byte].decode()

    def blamed(self, octet):
        """The numbers of the innermost change around a place in the text that was made, and whether the place is in what the
        change puts there; no numbers: it is in none."""
        open_now = []
        for found in re.finditer(rb"/\*(<?)([\d,]+)(>?)\*/", self.text.encode()):
            if found.start() > octet:
                break
            if found[1]:
                open_now.append(found[2].decode())
            else:
                open_now.pop()
        # What a change puts there stands inside of what asks whether it is on.
        inside = len(open_now) > 1 and open_now[-1] in open_now[-2].split(",")
        return {int(number) for number in open_now[-1].split(",")} if open_now else set(), inside


def key(node):
    return node.start_byte, node.end_byte, node.type


def errors(said):
    """(file, octet, code, text) of each error that cargo told as JSON."""
    for line in said.splitlines():
        message = json.loads(line)
        if message.get("reason") != "compiler-message" or message["message"]["level"] != "error":
            continue
        told = message["message"]
        for span in told["spans"]:
            if span["is_primary"]:
                yield span["file_name"], span["byte_start"], (told["code"] or {}).get("code"), told["message"]
