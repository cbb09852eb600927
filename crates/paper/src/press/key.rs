//! A printer's key: its public half, for which files are made, and its secret half, which opens them.

use age::secrecy::ExposeSecret;
use age::x25519;
use zeroize::Zeroizing;

use super::fault::PressFault;

/// A new key. Deliberately without `Debug`.
pub struct Key {
    /// What files are made for: `age1…`.
    pub recipient: String,
    /// The text of its identity file.
    pub secret: Zeroizing<String>,
}

/// Makes a key as `age-keygen` does.
pub fn new_key() -> Key {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = identity.to_string();
    let secret = Zeroizing::new(format!("# public key: {recipient}\n{}\n", secret.expose_secret()));
    Key { recipient, secret }
}

/// Reads the public half.
pub fn recipient(text: &str) -> Result<x25519::Recipient, PressFault> {
    text.trim().parse().map_err(|_| PressFault::Recipient)
}
