//! The place of an open file, and the check that the file is still there. Events that are written to a deleted, moved or replaced
//! file are lost, and SQLite reports no error.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sillok::store::StorageError;

/// SQLite adds these texts to the name of a file for the files that belong to it: the newest commits, and the locks.
const COMPANIONS: [&str; 3] = ["", "-wal", "-shm"];

/// The identity of a file: its device and its number there.
type Identity = (u64, u64);

/// The files of one open database.
#[derive(Debug)]
pub(crate) struct Place(Vec<(PathBuf, Identity)>);

impl Place {
    /// The place of a file that was just opened and read.
    pub(crate) fn of(path: &Path) -> Self {
        let files = COMPANIONS.iter().filter_map(|end| {
            let mut name = OsString::from(path);
            name.push(end);
            let name = PathBuf::from(name);
            identity(&name).map(|identity| (name, identity))
        });
        Self(files.collect())
    }

    /// Checks that these are still the opened files.
    ///
    /// # Errors
    /// `storage_failed` if a file was deleted, moved or replaced.
    pub(crate) fn check(&self) -> Result<(), StorageError> {
        match self.0.iter().find(|(name, opened)| identity(name) != Some(*opened)) {
            None => Ok(()),
            Some((name, _)) => {
                let reason = format!("{} was deleted, moved or replaced while it was open", name.display());
                Err(StorageError::failed(reason))
            }
        }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;

    let status = std::fs::metadata(path).ok()?;
    Some((status.dev(), status.ino()))
}

/// On Windows nobody can delete, move or replace a file that SQLite has open.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}
