//! What a backup consists of: one text file, written last.
//!
//! Guarantees: a manifest that was cut off or changed is noticed; a backup without one is no backup.

use std::path::{Path, PathBuf};

use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::journal::{Hash, Head};

use crate::fault::{At, StoreFault};
use crate::files;
use crate::segment::Number;

/// Name of the file.
pub const MANIFEST: &str = "manifest.txt";
const TITLE: &str = "sonmul backup 1";

/// What a backup consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Where its journal ends.
    pub head: Head,
    /// Keys that its tags were made with: without them no password opens anything. They are not in the backup.
    pub key_ids: Vec<u8>,
    /// BLAKE3 of its checkpoint, when it has one.
    pub checkpoint: Option<Hash>,
    /// Its segments, in order. Archived ones are not among them.
    pub segments: Vec<ManifestSegment>,
}

/// A segment of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManifestSegment {
    /// Number in the file's name.
    pub number: u32,
    /// Whether it will never change again; otherwise it is the journal's tail as of this backup.
    pub sealed: bool,
    /// BLAKE3 of the file.
    pub hash: Hash,
}

impl Manifest {
    /// Reads the manifest of a backup.
    ///
    /// # Errors
    /// When there is none, or it is not what was written.
    pub fn read(backup: &Path) -> Result<Self, StoreFault> {
        let path = backup.join(MANIFEST);
        let text = std::fs::read_to_string(&path).at(&path)?;
        parse(&text)
            .ok_or_else(|| StoreFault::Manifest { path, what: String::from("it is no manifest, or was changed") })
    }

    /// Writes it.
    pub(crate) fn write(&self, backup: &Path) -> Result<(), StoreFault> {
        let path: PathBuf = backup.join(MANIFEST);
        files::write_whole(&path, self.text().as_bytes(), files::MODE).at(&path)
    }

    fn text(&self) -> String {
        let Head { seq, hash, at } = &self.head;
        let mut text = format!("{TITLE}\nhead {seq} {} {}\nkeys", files::hex(hash), at.ms());
        self.key_ids.iter().for_each(|id| text.push_str(&format!(" {id}")));
        if let Some(hash) = &self.checkpoint {
            text.push_str(&format!("\ncheckpoint {}", files::hex(hash)));
        }
        for ManifestSegment { number, sealed, hash } in &self.segments {
            let state = if *sealed { "sealed" } else { "tail" };
            text.push_str(&format!("\nsegment {number} {state} {}", files::hex(hash)));
        }
        text.push('\n');
        let end = files::hex(blake3::hash(text.as_bytes()).as_bytes());
        text + "end " + &end + "\n"
    }
}

fn parse(text: &str) -> Option<Manifest> {
    let (body, end) = text.strip_suffix('\n')?.rsplit_once("end ")?;
    if blake3::hash(body.as_bytes()).as_bytes() != &files::unhex(end)? {
        return None;
    }
    let mut lines = body.lines();
    if lines.next()? != TITLE {
        return None;
    }
    let mut manifest = Manifest::default();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["head", seq, hash, ms] => {
                let (seq, at) = (Seq(seq.parse().ok()?), Timestamp::from_ms(ms.parse().ok()?));
                manifest.head = Head { seq, hash: files::unhex(hash)?, at };
            }
            ["keys", ids @ ..] => manifest.key_ids = ids.iter().map(|id| id.parse().ok()).collect::<Option<_>>()?,
            ["checkpoint", hash] => manifest.checkpoint = Some(files::unhex(hash)?),
            ["segment", number, state @ ("sealed" | "tail"), hash] => {
                let (number, hash): (Number, _) = (number.parse().ok()?, files::unhex(hash)?);
                manifest.segments.push(ManifestSegment { number, sealed: *state == "sealed", hash });
            }
            _ => return None,
        }
    }
    Some(manifest)
}

#[cfg(test)]
mod tests {
    use super::{Manifest, ManifestSegment, parse};
    use domain::receipt::Seq;
    use domain::time::Timestamp;
    use engine::journal::Head;

    #[test]
    fn a_manifest_survives_its_text_and_no_change() {
        let manifest = Manifest {
            head: Head { seq: Seq(12), hash: [3; 32], at: Timestamp::from_ms(1_800_000_000_000) },
            key_ids: vec![1, 7],
            checkpoint: Some([5; 32]),
            segments: vec![
                ManifestSegment { number: 2, sealed: true, hash: [1; 32] },
                ManifestSegment { number: 3, sealed: false, hash: [2; 32] },
            ],
        };
        let text = manifest.text();
        assert_eq!(parse(&text), Some(manifest));
        assert_eq!(parse(&Manifest::default().text()), Some(Manifest::default()));
        for at in 0..text.len() {
            let mut octets = text.clone().into_bytes();
            octets[at] ^= 1;
            let changed = String::from_utf8(octets).expect("ASCII");
            assert_eq!(parse(&changed), None, "octet {at}");
            assert_eq!(parse(&text[..at]), None, "cut at {at}");
        }
    }
}
