//! What peers send that they should not, layer by layer, and the seeds of the fuzzer.

#![expect(clippy::expect_used, reason = "helpers of tests fail like tests do")]

#[expect(unreachable_pub, reason = "the fuzz targets use the same file from another crate")]
#[path = "../../../../fuzz/checks/wire.rs"]
mod checks;

mod components;
mod dialogue;
mod elements;
mod letters;
mod seeds;

/// Octets from hexadecimal text; blanks are for the reader.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|letter| letter.to_digit(16)).collect();
    assert_eq!(digits.len() % 2, 0, "odd number of hex digits: {text}");
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default()).collect()
}

/// Hexadecimal text of octets, without blanks.
fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
