//! Files and directories: durable writes, hashes, hexadecimal.
//!
//! Guarantees: a file that [`write_whole`] wrote is there whole or not at all, whatever happens to the power.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use engine::journal::Hash;

/// Mode of files that the server writes to.
pub(crate) const MODE: u32 = 0o640;
/// Mode of files that never change again.
pub(crate) const MODE_READ_ONLY: u32 = 0o440;

/// Octets that are copied or hashed at once.
const BLOCK: usize = 1 << 20;

/// Makes names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Writes a file under a name of its own, syncs it, and gives it its name.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut name = path.as_os_str().to_os_string();
    name.push(".tmp");
    let tmp = Path::new(&name);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(tmp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename(tmp, path)
}

/// Renames within one directory, durably.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    to.parent().map_or(Ok(()), sync_dir)
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Sets a file's mode.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// BLAKE3 of a file's octets.
pub(crate) fn hash_file(path: &Path) -> io::Result<Hash> {
    copy_blocks(&mut File::open(path)?, &mut io::sink())
}

/// Copies a file and syncs the copy; gives the hash of what was copied.
pub(crate) fn copy(from: &Path, to: &Path, mode: u32) -> io::Result<Hash> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(to)?;
    let hash = copy_blocks(&mut File::open(from)?, &mut file)?;
    file.sync_all()?;
    Ok(hash)
}

fn copy_blocks(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<Hash> {
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0; BLOCK];
    loop {
        let read = match from.read(&mut block) {
            Ok(0) => return Ok(*hasher.finalize().as_bytes()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(bytes) = block.get(..read) else { continue };
        hasher.update(bytes);
        to.write_all(bytes)?;
    }
}

/// Lower case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads what [`hex`] wrote of a hash; `None` for anything else.
pub(crate) fn unhex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != hash.len() * 2 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::{hex, unhex};

    #[test]
    fn hashes_survive_their_hexadecimal() {
        let hash: [u8; 32] = core::array::from_fn(|at| u8::try_from(at * 7).unwrap_or(0));
        assert_eq!(unhex(&hex(&hash)), Some(hash));
        for bad in ["", "00", &"0".repeat(63), &"g".repeat(64), &"+0".repeat(32), &"é".repeat(32)] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
