//! The press against tools that are not ours: `pdftoppm`, `pdftotext` and `pdfinfo` of Poppler, `zbarimg`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use domain::ids::Language;

use super::{CardFile, Label, PaperMm, PressFault, Receipt, Row, new_key, open};

fn label() -> Label {
    Label {
        operator_ko: String::from("고려링크"),
        operator_en: String::from("Koryolink"),
        service_code: 999,
        value_minor: 500,
        unit_ko: String::from("원"),
        unit_en: String::from("won"),
        minor_digits: 0,
    }
}

fn number(serial: u32) -> String {
    format!("77{serial:014}")
}

fn password(serial: u32) -> String {
    format!("{:06}", 481_000 + serial)
}

/// A file of so many cards and the text of the key that opens it.
fn made(path: &Path, cards: u32, sheets: bool) -> (zeroize::Zeroizing<String>, [u8; 32]) {
    let key = new_key();
    let mut file = CardFile::create(path, &key.recipient, &label(), sheets).expect("a file");
    for serial in 1..=cards {
        file.push(serial, &number(serial), &password(serial)).expect("a card");
    }
    let sealed = file.finish().expect("on disk");
    assert_eq!(sealed.cards, cards);
    assert_eq!(sealed.octets, std::fs::metadata(path).expect("there").len());
    (key.secret, sealed.hash)
}

/// What a tool prints. It must be there.
fn tool(name: &str, args: &[&str]) -> String {
    let ran = Command::new(name).args(args).output().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("text")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn what_is_put_in_comes_out_with_the_right_key_and_only_then() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("1.age");
    let (key, hash) = made(&path, 1_001, false);
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    let octets = std::fs::read(&path).expect("read");
    assert_eq!(blake3::hash(&octets).as_bytes(), &hash);
    for secret in [number(1), number(1_001), password(1), password(1_001)] {
        assert!(!octets.windows(secret.len()).any(|window| window == secret.as_bytes()), "plain in the file");
    }
    let mut opened = open(&path, &key).expect("opened");
    let names: Vec<&str> = opened.members().iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["cards-0001.csv", "cards-0002.csv", "README.txt"]);
    let out = dir.path().join("out");
    opened.extract(&out).expect("extracted");
    let csv = std::fs::read_to_string(out.join("cards-0002.csv")).expect("read");
    assert_eq!(csv, format!("serial,number,password,value\n00001001,{},{},500\n", number(1_001), password(1_001)));
    assert!(std::fs::read_to_string(out.join("README.txt")).expect("read").contains("카드 1001장"));
    // Nothing there is written over.
    assert!(matches!(opened.extract(&out), Err(PressFault::Exists(_))));
}

#[test]
fn a_wrong_key_a_cut_file_and_a_changed_one_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("1.age");
    let (key, _) = made(&path, 3, false);
    let wrong = open(&path, &new_key().secret).expect_err("another key");
    assert_eq!(wrong.name(), "wrong-key");
    assert!(wrong.to_string().contains("does not open the file"), "{wrong}");
    assert_eq!(open(&path, "no key at all").expect_err("no key").name(), "bad-identity");
    let octets = std::fs::read(&path).expect("read");
    let other = dir.path().join("2.age");
    std::fs::write(&other, &octets[..octets.len() - 20]).expect("written");
    assert_eq!(open(&other, &key).expect_err("cut").name(), "damaged-file");
    let mut changed = octets.clone();
    let middle = changed.len() - 100;
    changed[middle] ^= 1;
    std::fs::write(&other, &changed).expect("written");
    assert_eq!(open(&other, &key).expect_err("changed").name(), "damaged-file");
}

#[test]
fn what_can_not_be_printed_is_refused_before_the_first_card() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("1.age");
    let create = |recipient: &str, label: &Label| CardFile::create(&path, recipient, label, true).map(drop);
    let key = new_key();
    assert_eq!(create("age1nobody", &label()).expect_err("no recipient").name(), "bad-recipient");
    let hanja = Label { operator_ko: String::from("高麗"), ..label() };
    assert_eq!(create(&key.recipient, &hanja).expect_err("no such letters").name(), "bad-label");
    let long = Label { operator_en: "Koryolink ".repeat(20), ..label() };
    assert_eq!(create(&key.recipient, &long).expect_err("no room").name(), "bad-label");
    assert_eq!(create(&key.recipient, &Label { value_minor: 0, ..label() }).expect_err("nothing").name(), "bad-label");
    assert!(!path.exists());
}

#[test]
fn a_file_is_made_once_and_one_that_is_not_finished_is_gone() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("1.age");
    let key = new_key();
    let mut file = CardFile::create(&path, &key.recipient, &label(), false).expect("a file");
    file.push(1, &number(1), &password(1)).expect("a card");
    let bad = file.push(2, "1234", &password(2)).expect_err("no number");
    assert!(bad.to_string().contains("serial 2") && !bad.to_string().contains("1234"), "{bad}");
    assert!(!format!("{file:?}").contains(&number(1)));
    assert!(matches!(CardFile::create(&path, &key.recipient, &label(), false), Err(PressFault::Exists(_))));
    drop(file);
    assert!(!path.exists());
}

#[test]
fn every_code_on_the_sheets_is_the_serial_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("1.age");
    let (key, _) = made(&path, 25, true);
    let out = dir.path().join("out");
    open(&path, &key).expect("opened").extract(&out).expect("extracted");
    let pdf = out.join("sheets-0001.pdf");
    // Card by card, as a till's camera sees them: ten pixels a millimetre.
    let mut codes = Vec::new();
    for serial in 1..=25 {
        let (page, place) = ((serial - 1) / 10 + 1, (serial - 1) % 10);
        let (x, y) = (194 + 856 * (place % 2), 135 + 540 * (place / 2));
        let (page, x, y) = (page.to_string(), x.to_string(), y.to_string());
        let card = out.join("card");
        let crop = ["-x", &x, "-y", &y, "-W", "856", "-H", "540"];
        let mut args = vec!["-r", "254", "-gray", "-singlefile", "-f", &page, "-l", &page];
        args.extend(crop);
        args.extend([text(&pdf), text(&card)]);
        tool("pdftoppm", &args);
        codes.extend(tool("zbarimg", &["--quiet", "--raw", text(&out.join("card.pgm"))]).lines().map(String::from));
    }
    assert!(tool("pdfinfo", &[text(&pdf)]).contains("Pages:           3"));
    assert_eq!(codes, (1..=25).map(|serial| format!("{serial:08}")).collect::<Vec<_>>());
    let shown = tool("pdftotext", &["-layout", text(&pdf), "-"]);
    for words in ["고려링크", "Koryolink", "500원", "500 won", "긁는 칸", "00000025", &password(25)] {
        assert!(shown.contains(words), "{words}");
    }
    let octets = std::fs::read(&pdf).expect("read");
    assert!(octets.windows(8).any(|window| window == b"/Scratch"), "no spot colour for the hidden field");
}

#[test]
fn a_receipt_is_as_wide_as_its_paper() {
    let dir = tempfile::tempdir().expect("a directory");
    let row = |label: &str, value: &str| Row { label: label.into(), value: value.into() };
    let receipt = Receipt {
        title: String::from("판매 령수증"),
        operator: String::from("고려링크"),
        outlet: Some(String::from("광복백화점")),
        rows: vec![row("카드 수", "2"), row("일련번호", "00000001-00000002"), row("받은 돈", "10.00 USD")],
        receipt: String::from("6-KE"),
        at: String::from("2026-11-27 19:00"),
        language: Language::Korean,
    };
    for (paper, width) in [(PaperMm::Mm58, "164."), (PaperMm::Mm80, "226.")] {
        let path = dir.path().join(format!("{width}pdf"));
        std::fs::write(&path, &*receipt.pdf(paper).expect("a PDF")).expect("written");
        let info = tool("pdfinfo", &[text(&path)]);
        let size = info.lines().find(|line| line.starts_with("Page size")).expect("a size");
        assert!(size.contains(width), "{size}");
        assert!(info.contains("Pages:           1"), "{info}");
        let shown = tool("pdftotext", &["-layout", text(&path), "-"]);
        for words in ["고려링크", "광복백화점", "10.00 USD", "6-KE", "00000001-00000002"] {
            assert!(shown.contains(words), "{words} in {shown}");
        }
    }
    let hanja = Receipt { operator: String::from("高麗"), ..receipt };
    assert_eq!(hanja.pdf(PaperMm::Mm58).expect_err("no such letters").name(), "bad-label");
}
