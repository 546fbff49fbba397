//! The one registry of error codes and the one set of numbers about consumers are in the core. TypeScript and the
//! documents have the same.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)] // a test may panic

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sillok::{ErrorCode, Retry};

/// The file with this name, in any folder.
fn found(folder: &Path, file: &str) -> Option<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let own = files.into_iter().find(|path| path.file_name().is_some_and(|name| name == file));
    own.or_else(|| folders.iter().find_map(|folder| found(folder, file)))
}

fn typescript(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(found(&root.join("js/ts"), file).unwrap()).unwrap()
}

/// The text between two texts.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split_once(begin).unwrap().1.split_once(end).unwrap().0
}

/// The texts between two marks: every second part.
fn marked(text: &str, mark: char) -> Vec<&str> {
    text.split(mark).skip(1).step_by(2).collect()
}

/// The texts of these codes.
fn texts(is_one: impl Fn(ErrorCode) -> bool) -> BTreeSet<&'static str> {
    ErrorCode::ALL.iter().copied().filter(|code| is_one(*code)).map(ErrorCode::as_str).collect()
}

#[test]
fn every_code_has_a_text_of_its_own() {
    assert_eq!(texts(|_| true).len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        let text = code.as_str();
        assert!(text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{text}");
        assert_eq!((ErrorCode::from_text(text), code.to_string().as_str()), (Some(*code), text));
        assert!(code.meaning().ends_with('.') && !code.meaning().contains('|'), "{text}");
    }
    assert_eq!(ErrorCode::from_text("of_another_version"), None);
}

#[test]
fn the_union_in_typescript_has_the_codes_of_the_registry() {
    let file = typescript("errors.ts");
    let union = marked(between(&file, "export type SillokErrorCode =", ";"), '"');
    assert_eq!(union.len(), ErrorCode::ALL.len());
    assert_eq!(BTreeSet::from_iter(union), texts(|_| true));
}

#[test]
fn the_union_in_typescript_explains_each_code() {
    let file = typescript("errors.ts");
    let documents = file.split("export type SillokErrorCode").next().unwrap();
    let explained = BTreeSet::from_iter(marked(documents, '`'));
    let missing: Vec<_> = texts(|_| true).into_iter().filter(|code| !explained.contains(code)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn the_package_repeats_the_calls_that_the_registry_says() {
    let file = typescript("errors.ts");
    let repeated = marked(between(&file, "export const REPEATED = {", "}"), '"');
    assert_eq!(BTreeSet::from_iter(repeated), texts(|code| code.retry() == Retry::Repeat));
}

#[test]
fn the_fields_of_the_registry_are_those_of_an_error_in_typescript() {
    let file = typescript("errors.ts");
    let failure = between(&file, "export interface Failure {", "\n}");
    let fields: BTreeSet<_> =
        failure.lines().filter_map(|line| Some(line.split_once("readonly ")?.1.split_once('?')?.0)).collect();
    let of_the_registry: BTreeSet<_> =
        ErrorCode::ALL.iter().flat_map(|code| code.fields()).copied().collect();
    assert_eq!(fields, of_the_registry);
}

#[test]
fn the_table_in_the_documents_is_that_of_the_registry() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/http.md")).unwrap();
    let table =
        between(&document, "| status | code | meaning | fields | retry |\n|---|---|---|---|---|\n", "\n\n");
    let mut rows = BTreeMap::new();
    for row in table.lines() {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [status, code, meaning, fields, retry] = cells[..] else { panic!("{row}") };
        assert!(rows.insert(code.trim_matches('`'), (status, meaning, marked(fields, '`'), retry)).is_none());
    }
    for code in ErrorCode::ALL {
        let Some(status) = code.status() else { continue };
        let (status_cell, meaning, fields, retry) =
            rows.remove(code.as_str()).unwrap_or_else(|| panic!("{code}"));
        assert_eq!(status_cell, status.to_string(), "{code}");
        assert!(meaning.starts_with(code.meaning()), "{code}: {}", code.meaning());
        assert_eq!((fields.as_slice(), retry), (code.fields(), code.retry().as_str()), "{code}");
    }
    assert!(rows.is_empty(), "the registry has none of {rows:?}");
}
