//! The rule can fail: small crates that are no crates, and what is told of them.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::circles;
use super::read::Tree;

/// Says what circles there are in a crate of these files.
fn told(files: &[(&str, &str)]) -> String {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let tree = Tree::read("src/lib.rs", &|file| files.get(file).map(|text| String::from(*text)));
    circles(&tree.expect("sources that can be read"))
}

fn check(files: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&told(files));
}

#[test]
fn two_files_and_three() {
    check(
        &[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "use crate::b::{self, B, C as D}; pub struct A;"),
            ("src/b.rs", "use super::a::A; pub struct B; pub struct C;"),
        ],
        expect![[r#"
            a circle of src/a.rs, src/b.rs:
                src/a.rs takes from src/b.rs: B, C
                src/b.rs takes from src/a.rs: A
        "#]],
    );
    check(
        &[
            ("src/lib.rs", "pub mod a; pub mod b; pub(crate) mod c; mod above;"),
            ("src/above.rs", "use crate::{a, b};"),
            ("src/a.rs", "use crate::b::B; pub struct A;"),
            ("src/b.rs", "use crate::c::C; pub struct B;"),
            ("src/c.rs", "pub struct C(crate::a::A);"),
        ],
        expect![[r#"
            a circle of src/a.rs, src/b.rs, src/c.rs:
                src/a.rs takes from src/b.rs: B
                src/b.rs takes from src/c.rs: C
                src/c.rs takes from src/a.rs: A
        "#]],
    );
}

/// A circle hides in more places than at the top of a file.
#[test]
fn wherever_a_name_is_taken() {
    let b = "use crate::a::A; pub struct B; pub fn f() {} pub const END: usize = 1; pub mod deep { pub struct Deep; }";
    for (text, taken) in [
        ("fn g() { super::b::f() }", "f"),
        ("fn g() { if true { use crate::b::f; f() } }", "f"),
        ("use crate::b; fn g() { b::f() }", "f"),
        ("use crate::b as other; fn g() { other::f() }", "f"),
        ("use crate::b::*;", "*"),
        ("use crate::b::deep; fn g() -> deep::Deep { deep::Deep }", "Deep"),
        ("fn g() { println!(\"{:?}\", vec![crate::b::f()]) }", "f"),
        ("fn g() { for _ in 0..super::b::END {} }", "END"),
        ("#[derive(crate::b::B)] struct C;", "B"),
        ("struct C { #[cbor(n(0), with = \"crate::b::f\")] c: u8 }", "f"),
        ("mod inline { fn g() { super::super::b::f() } }", "f"),
        ("impl From<crate::b::B> for A {}", "B"),
        ("macro_rules! m { () => { $crate::b::f() } }", "f"),
        ("#[cfg(unix)] use crate::b::B; #[cfg(not(test))] use crate::b::f;", "B, f"),
        ("#[cfg(any(test, feature = \"testing\"))] use crate::b::B;", "B"),
        ("#[cfg(test)] mod tests { use crate::b::f; } use crate::b::B;", "B"),
    ] {
        let a = format!("pub struct A; {text}");
        let told = told(&[("src/lib.rs", "mod a; mod b;"), ("src/a.rs", &a), ("src/b.rs", b)]);
        let line = format!("src/a.rs takes from src/b.rs: {taken}\n");
        assert!(told.contains(&line), "{text}\n{told}");
    }
}

/// What is handed on ties to who hands it on and to who defines it.
#[test]
fn through_those_who_hand_it_on() {
    check(
        &[
            ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
            ("src/a.rs", "use crate::b::D; pub struct A;"),
            ("src/b.rs", "pub use crate::c::*;"),
            ("src/c.rs", "pub use crate::d::Deep as D;"),
            ("src/d.rs", "use crate::a::A; pub struct Deep;"),
        ],
        expect![[r#"
            a circle of src/a.rs, src/b.rs, src/c.rs, src/d.rs:
                src/a.rs takes from src/b.rs: D
                src/a.rs takes from src/c.rs: D
                src/a.rs takes from src/d.rs: Deep
                src/b.rs takes from src/c.rs: *
                src/c.rs takes from src/d.rs: Deep
                src/d.rs takes from src/a.rs: A
        "#]],
    );
    check(
        &[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "use crate::b::Inner; pub struct A;"),
            ("src/b/mod.rs", "mod inner; pub use inner::Inner;"),
            ("src/b/inner.rs", "use crate::a::A; pub struct Inner;"),
        ],
        expect![[r#"
            a circle of src/a.rs, src/b/mod.rs:
                src/a.rs takes from src/b/inner.rs: Inner
                src/a.rs takes from src/b/mod.rs: Inner
                src/b/inner.rs takes from src/a.rs: A
        "#]],
    );
}

/// No file of these imports a file that imports it, but the folders do.
#[test]
fn folders_are_files_too() {
    check(
        &[
            ("src/lib.rs", "mod x; mod y;"),
            ("src/x.rs", "mod one; mod two;"),
            ("src/x/one.rs", "use crate::y::Three;"),
            ("src/x/two.rs", "pub struct Two;"),
            ("src/y.rs", "pub mod three; mod four; pub use three::Three;"),
            ("src/y/three.rs", "pub struct Three;"),
            ("src/y/four.rs", "use crate::x::two::Two;"),
        ],
        expect![[r#"
            a circle of src/x.rs, src/y.rs:
                src/x/one.rs takes from src/y.rs: Three
                src/x/one.rs takes from src/y/three.rs: Three
                src/y/four.rs takes from src/x/two.rs: Two
        "#]],
    );
}

#[test]
fn one_idea_is_a_parent_and_its_private_parts() {
    let parent = |parts: &str| format!("{parts} pub struct Whole(part::Part);");
    let part = "mod deeper; use super::Whole; pub struct Part(deeper::Deep);";
    let crate_of = |parts: &str, told| {
        check(
            &[
                ("src/lib.rs", "pub mod whole;"),
                ("src/whole.rs", &parent(parts)),
                ("src/whole/part.rs", part),
                ("src/whole/part/deeper.rs", "use crate::whole::Whole; pub struct Deep;"),
            ],
            told,
        );
    };
    crate_of("mod part;", expect![[""]]);
    crate_of(
        "pub mod part;",
        expect![[r#"
        a circle of src/whole.rs, src/whole/part.rs:
            src/whole.rs takes from src/whole/part.rs: Part
            src/whole/part.rs takes from src/whole.rs: Whole
            src/whole/part/deeper.rs takes from src/whole.rs: Whole
    "#]],
    );
    crate_of(
        "pub(super) mod part;",
        expect![[r#"
        a circle of src/whole.rs, src/whole/part.rs:
            src/whole.rs takes from src/whole/part.rs: Part
            src/whole/part.rs takes from src/whole.rs: Whole
            src/whole/part/deeper.rs takes from src/whole.rs: Whole
    "#]],
    );
    crate_of(
        "/// Said.\n#[expect(dead_code)] pub(in crate::whole) mod part;",
        expect![[r#"
        a circle of src/whole.rs, src/whole/part.rs:
            src/whole.rs takes from src/whole/part.rs: Part
            src/whole/part.rs takes from src/whole.rs: Whole
            src/whole/part/deeper.rs takes from src/whole.rs: Whole
    "#]],
    );
}

#[test]
fn parts_of_one_idea_form_floors_among_each_other() {
    check(
        &[
            ("src/lib.rs", "mod whole;"),
            ("src/whole.rs", "mod a; mod b; pub struct Whole;"),
            ("src/whole/a.rs", "use super::{Whole, b::B}; pub struct A;"),
            ("src/whole/b.rs", "use super::{Whole, a::A}; pub struct B;"),
        ],
        expect![[r#"
            a circle of src/whole/a.rs, src/whole/b.rs:
                src/whole/a.rs takes from src/whole/b.rs: B
                src/whole/b.rs takes from src/whole/a.rs: A
        "#]],
    );
}

#[test]
fn the_root_has_no_private_parts() {
    check(
        &[("src/lib.rs", "mod a; pub use a::A; pub struct Root;"), ("src/a.rs", "use crate::Root; pub struct A;")],
        expect![[r#"
            a circle of src/lib.rs, src/a.rs:
                src/lib.rs takes from src/a.rs: A
                src/a.rs takes from src/lib.rs: Root
        "#]],
    );
}

#[test]
fn what_is_no_import() {
    check(
        &[
            (
                "src/lib.rs",
                "//! Not [`a::A`].\n mod a; mod b; #[cfg(test)] mod tests; #[cfg(all(test, unix))] fn t() { b::f() }",
            ),
            (
                "src/a.rs",
                "/// See [`crate::b::f`]; \n pub struct A { pub b: u8 } /* crate::b::f */
                 use crate::b;
                 impl A { pub(in crate::b) fn g(self) -> u8 { \"crate::b::f\"; self.b::<u8>() } }
                 #[cfg(test)] use crate::b::{B, f}; #[cfg(test)] pub(crate) const fn t() { crate::b::f() }
                 #[cfg(test)] const C: [u8; 1] = { crate::b::END }; struct D { #[cfg(test)] d: crate::b::B, e: u8 }",
            ),
            ("src/b.rs", "use crate::a::A; pub fn f() {} pub struct B;"),
        ],
        expect![[""]],
    );
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let nothing = Tree::read("src/lib.rs", &|file| (file == "src/lib.rs").then(|| String::from("mod a;")));
    expect![[r#"src/lib.rs: `mod a;` is in neither ["src/a.rs", "src/a/mod.rs"]"#]]
        .assert_eq(&nothing.expect_err("half a crate"));
}
