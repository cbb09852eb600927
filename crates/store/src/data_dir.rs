//! The data directory: one server at a time, and where its files are.
//!
//! Guarantees: while a [`DataDir`] that was opened for a server lives, no other server gets the directory, however this
//! process ends: the lock is the kernel's and goes with the process.
//!
//! Deliberately not here: what is in the files; keys (they are never in backups and belong to `sonmul`).

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::fault::{At, StoreFault};
use crate::files;

/// Mode of the directory: its group may pass through it to `admin.sock` and see nothing else.
const DIR_MODE: u32 = 0o710;

/// A data directory.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Held as long as this lives; `None` when opened for reading.
    lock: Option<File>,
}

impl DataDir {
    /// Makes a new one, mode 0710, and locks it. Directories above it must exist.
    ///
    /// # Errors
    /// When there is something already, another server was faster, or the file system refuses.
    pub fn create(path: &Path) -> Result<Self, StoreFault> {
        match DirBuilder::new().mode(DIR_MODE).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => refuse_full(path)?,
            created => created.at(path)?,
        }
        // Whatever the umask says, and for a directory that was empty but there.
        fs::set_permissions(path, fs::Permissions::from_mode(DIR_MODE)).at(path)?;
        let lock = lock(path, true)?;
        if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
            files::sync_dir(above).at(above)?;
        }
        files::sync_dir(path).at(path)?;
        Ok(Self { path: path.to_path_buf(), lock: Some(lock) })
    }

    /// Opens one for a server, or for a tool that changes it.
    ///
    /// # Errors
    /// When it was never made, another server has it, or the file system refuses.
    pub fn open(path: &Path) -> Result<Self, StoreFault> {
        let lock = lock(path, false)?;
        Ok(Self { path: path.to_path_buf(), lock: Some(lock) })
    }

    /// Opens one for reading, beside a running server or without one.
    ///
    /// # Errors
    /// When it was never made.
    pub fn open_shared(path: &Path) -> Result<Self, StoreFault> {
        if lock_path(path).is_file() {
            Ok(Self { path: path.to_path_buf(), lock: None })
        } else {
            Err(StoreFault::NoDataDir { dir: path.to_path_buf() })
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The checkpoint's tables.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    /// The socket for administrative commands.
    pub fn admin_socket(&self) -> PathBuf {
        self.path.join("admin.sock")
    }

    /// Another handle on the lock, for those who must not outlive it.
    pub(crate) fn hold(&self) -> Result<File, StoreFault> {
        let lock = self.lock.as_ref().ok_or_else(|| StoreFault::Shared { dir: self.path.clone() })?;
        lock.try_clone().at(&self.path)
    }
}

/// Name of the checkpoint's file.
pub(crate) const CHECKPOINT: &str = "checkpoint.sqlite";

fn lock_path(dir: &Path) -> PathBuf {
    dir.join("lock")
}

/// An existing directory may become a data directory only when nothing is in it.
pub(crate) fn refuse_full(path: &Path) -> Result<(), StoreFault> {
    match fs::read_dir(path).at(path)?.next() {
        None => Ok(()),
        Some(_) => Err(StoreFault::NotEmpty { dir: path.to_path_buf() }),
    }
}

fn lock(dir: &Path, create: bool) -> Result<File, StoreFault> {
    let path = lock_path(dir);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create).mode(files::MODE);
    let file = match options.open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreFault::NoDataDir { dir: dir.to_path_buf() });
        }
        opened => opened.at(&path)?,
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreFault::InUse { dir: dir.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(error).at(&path),
    }
}
