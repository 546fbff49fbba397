//! One file and several programs: locks, kills, and files that go away.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a test may panic

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sillok::ErrorCode;
use sillok::store::{Append, JsonText, NewEvent, ReadRange, StreamId};
use sillok_sqlite::{Options, Sqlite, SqliteError};

/// The example `bank`, which cargo builds beside the tests.
fn bank(file: &Path, words: &[&str]) -> Command {
    let mut program = std::env::current_exe().unwrap();
    program.pop();
    program.pop();
    let mut command = Command::new(program.join("examples/bank"));
    command.arg(file).args(words);
    command
}

fn printed(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn file() -> (PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (folder.path().join("bank.db"), folder)
}

fn noted() -> Append {
    let event = NewEvent::new("Noted", JsonText::null()).unwrap();
    Append::to(StreamId::new("notes").unwrap(), vec![event])
}

#[test]
fn two_programs_write_to_one_stream_at_once() {
    let (file, _folder) = file();
    let programs = [1, 2].map(|cents| {
        bank(&file, &["deposit", "account-42", &cents.to_string(), "150"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    });
    for mut program in programs {
        assert!(program.wait().unwrap().success());
    }
    assert_eq!(printed(bank(&file, &["balances"])), "account-42 450\n");
    assert_eq!(printed(bank(&file, &["withdraw", "account-42", "500"])), "50 cents are missing\n");
    let store = Sqlite::open(&file).unwrap();
    assert_eq!(store.head("account-42").unwrap().version.get(), 300);
    assert_eq!(store.verify("account-42").unwrap().broken, None);
}

#[test]
fn what_a_killed_program_has_acknowledged_is_there() {
    let (file, _folder) = file();
    for _ in 0..5 {
        let store = Sqlite::open(&file).unwrap();
        let before = store.head("account-42").unwrap().version.get();
        let mut program =
            bank(&file, &["deposit", "account-42", "1", "1000000"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let acknowledged = lines.by_ref().take(20).map(|line| line.unwrap().parse::<u64>().unwrap()).last();
        program.kill().unwrap();
        program.wait().unwrap();
        let last = lines.map_while(Result::ok).filter_map(|line| line.parse().ok()).last().or(acknowledged);
        let after = store.head("account-42").unwrap().version.get();
        assert!(
            last.unwrap() >= before + 20 && after >= last.unwrap() && after <= last.unwrap() + 1,
            "{after}"
        );
        assert_eq!(store.verify("account-42").unwrap().broken, None);
    }
}

#[test]
fn a_locked_file_is_waited_for_and_then_refused() {
    let (file, _folder) = file();
    let options = Options::default().busy_timeout(Duration::from_millis(50));
    let store = options.open(&file).unwrap();
    store.send_append(noted()).unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.send_append(noted()).unwrap_err().code(), ErrorCode::StorageBusy);
    assert_eq!(store.read_page("notes", &ReadRange::all()).unwrap().events.len(), 1);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(store.send_append(noted()).unwrap().version.get(), 2);
}

#[test]
fn nothing_is_acknowledged_in_a_file_that_is_gone() {
    let (file, folder) = file();
    let store = Sqlite::open(&file).unwrap();
    store.send_append(noted()).unwrap();
    fs::rename(&file, folder.path().join("elsewhere.db")).unwrap();
    let error = store.send_append(noted()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::StorageFailed);
    assert!(error.to_string().contains("was deleted, moved or replaced"), "{error}");
    fs::rename(folder.path().join("elsewhere.db"), &file).unwrap();
    assert!(store.send_append(noted()).is_ok());
}

#[test]
fn a_file_is_opened_for_reading_only() {
    let (file, folder) = file();
    let missing = Options::default().read_only().open(&file).unwrap_err();
    assert!(matches!(&missing, SqliteError::Open { path, .. } if *path == file), "{missing}");
    Sqlite::open(&file).unwrap().send_append(noted()).unwrap();
    let store = Options::default().read_only().open(&file).unwrap();
    assert_eq!(store.read_page("notes", &ReadRange::all()).unwrap().events.len(), 1);
    assert_eq!(store.send_append(noted()).unwrap_err().code(), ErrorCode::StorageReadOnly);
    for path in [Path::new(""), Path::new(":memory:"), folder.path()] {
        assert_eq!(Sqlite::open(path).unwrap_err().code(), ErrorCode::StorageFailed, "{}", path.display());
    }
    fs::write(folder.path().join("text"), "not a database, but a text that is long enough").unwrap();
    let error = Sqlite::open(folder.path().join("text")).unwrap_err();
    assert!(error.to_string().contains("file is not a database"), "{error}");
}
