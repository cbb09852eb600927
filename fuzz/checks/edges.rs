//! What must hold for the body of any `deliver_sm` that reaches `edges` as a delivery receipt.
//!
//! Included twice: by the fuzz target, and by `crates/edges/tests/it`, which replays the seeds on every test run.

use edges::esme::receipt::{ERROR_LEN_MAX, MESSAGE_ID_LEN_MAX, parse};

/// The name of a target and of its folder of seeds, and its check.
pub type Check = (&'static str, fn(&[u8]));

/// Every check.
pub const CHECKS: [Check; 1] = [("smpp_receipt", smpp_receipt)];

/// A receipt is the same each time, and what it names is short and printable, whatever the octets.
pub fn smpp_receipt(octets: &[u8]) {
    let Some(receipt) = parse(octets) else { return };
    assert!(parse(octets) == Some(receipt.clone()), "the same octets give the same receipt");
    if let Some(id) = &receipt.message_id {
        assert!(!id.is_empty() && id.len() <= MESSAGE_ID_LEN_MAX && id.bytes().all(|octet| octet.is_ascii_graphic()));
    }
    // `network/code` of a parameter is longer than a word of the text.
    assert!(receipt.error.is_none_or(|error| !error.is_empty() && error.len() <= ERROR_LEN_MAX));
}
