//! The rules of the project that no compiler checks: which room may know which, and how large a file may be.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)] // a test may panic

use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the only dependencies of its Rust code.
const ROOMS: [(&str, &[&str]); 8] = [
    (".", &["hifijson", "serde", "serde_json", "sha2", "thiserror"]),
    ("bridge", &["sillok", "chrono", "js-sys", "serde", "serde_json", "thiserror", "uuid", "wasm-bindgen"]),
    ("js", &["sillok", "sillok-bridge", "js-sys", "rlsf", "serde-wasm-bindgen", "wasm-bindgen"]),
    ("sqlite", &["sillok", "chrono", "rusqlite", "serde", "serde_json", "thiserror", "uuid"]),
    ("worker", &["sillok", "sillok-bridge", "worker", "*"]),
    ("examples/bank-rust", &["sillok", "sillok-worker", "serde", "worker"]),
    ("examples/delays-rust", &["sillok", "sillok-worker", "serde", "serde_json", "worker"]),
    ("tests/crashes", &["sillok", "sillok-worker", "serde", "serde_json", "worker"]),
];

/// A room of the package's TypeScript, and the only rooms that it may import.
const JS_ROOMS: [(&str, &[&str]); 13] = [
    ("store", &[]),
    ("aggregate", &["store"]),
    ("time", &["store"]),
    ("sqlite", &["store", "time"]),
    ("remote", &["aggregate", "store", "time"]),
    ("deployment", &["store"]),
    ("client", &["aggregate", "consumer", "deployment", "remote", "store", "time"]),
    ("consumer", &["aggregate", "store"]),
    ("react", &["aggregate", "client", "consumer", "store"]),
    ("local", &["aggregate", "consumer", "remote", "sqlite", "store", "time"]),
    ("gateway", &["aggregate", "consumer", "local", "store", "time"]),
    ("testing", &["aggregate", "gateway", "local", "store"]),
    ("entrypoints", &["local"]),
];

/// The only file of the package that may import the generated code of wasm-bindgen.
const ENGINE: &str = "js/ts/local/engine.ts";

/// The texts that the core must never contain, and the reasons.
const NOT_IN_THE_CORE: [(&str, &str); 7] = [
    ("async ", "the core is synchronous"),
    (".await", "the core is synchronous"),
    ("SystemTime", "time comes in as a value"),
    ("Instant", "time comes in as a value"),
    ("thread_rng", "fresh ids come in as values"),
    ("wasm_bindgen", "the core does not know JavaScript"),
    ("println!", "the core has no output"),
];

const LONGEST_FILE: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under `folder` whose name has one of these endings.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules", "generated", "dist", "build", "sillok"].contains(&name.as_str())
                && !name.starts_with('.')
            {
                found.extend(files(&path, endings));
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found
}

/// The names under `[dependencies]` in a manifest.
fn dependencies(room: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(room).join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let names =
        lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(['=', '.', ' ']));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

#[test]
fn a_room_depends_only_on_the_rooms_it_may_know() {
    for (room, allowed) in ROOMS {
        let found = dependencies(room);
        assert!(!found.is_empty(), "no dependencies found in {room}");
        for name in found {
            let own =
                name.starts_with("sillok") || ["worker", "wasm-bindgen", "js-sys"].contains(&name.as_str());
            let allowed = allowed.contains(&name.as_str()) || (allowed.contains(&"*") && !own);
            let plumbing = room == "worker" && ["wasm-bindgen", "js-sys"].contains(&name.as_str());
            assert!(
                allowed || plumbing,
                "{room} may not depend on {name}: a new arrow needs a decision record"
            );
        }
    }
}

#[test]
fn a_room_of_the_package_imports_only_the_rooms_it_may_know() {
    let folder = root().join("js/ts");
    let sources = files(&folder, &[".ts"]);
    let inside = sources.iter().filter_map(|path| path.strip_prefix(&folder).unwrap().parent()?.to_str());
    let mut rooms: Vec<_> = inside.filter(|room| !room.is_empty()).collect();
    rooms.sort_unstable();
    rooms.dedup();
    let mut known = JS_ROOMS.map(|(room, _)| room);
    known.sort_unstable();
    assert_eq!(rooms, known);
    for (room, allowed) in JS_ROOMS {
        for path in files(&folder.join(room), &[".ts"]) {
            let text = fs::read_to_string(&path).unwrap();
            let imported =
                text.split("from \"../").skip(1).filter_map(|rest| rest.split_once('"')?.0.split_once('/'));
            for (other, _) in imported.filter(|(other, _)| *other != "..") {
                assert!(
                    allowed.contains(&other),
                    "{} may not import {other}: a new arrow needs a decision record",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn one_file_of_the_package_touches_generated_code() {
    let importing = |path: &PathBuf| fs::read_to_string(path).unwrap().contains("generated/sillok_js.js\"");
    let found: Vec<_> = files(&root().join("js/ts"), &[".ts"]).into_iter().filter(importing).collect();
    assert_eq!(found, [root().join(ENGINE)]);
}

#[test]
fn the_plain_worker_is_the_library() {
    let manifest = |room: &str| fs::read_to_string(root().join(room).join("Cargo.toml")).unwrap();
    let section = |text: String| {
        text.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap().to_owned()
    };
    assert_eq!(section(manifest("worker/plain")), section(manifest("worker")));
}

#[test]
fn the_core_is_pure() {
    for path in files(&root().join("src"), &[".rs"]) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for (word, why) in NOT_IN_THE_CORE {
                assert!(!line.contains(word), "{}: `{}`: {why}", path.display(), line.trim());
            }
        }
    }
}

#[test]
fn no_file_is_longer_than_a_reader_keeps_in_mind() {
    for path in files(root(), &[".rs", ".ts", ".js", ".mjs", ".css"]) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines, more than {LONGEST_FILE}", path.display());
    }
}

/// A webhook's requests must not reach addresses that only the operator's own network reaches.
#[test]
fn every_worker_with_consumers_sends_over_the_public_internet() {
    let flag = "compatibility_flags = [\"global_fetch_strictly_public\"]";
    let texts = files(root(), &["wrangler.toml"]).into_iter().map(|path| fs::read_to_string(path).unwrap());
    let workers: Vec<String> = texts.filter(|text| text.contains("class_name = \"Consumer\"")).collect();
    assert!(workers.len() >= 3, "{} found", workers.len());
    assert!(workers.iter().all(|text| text.contains(flag)));
}

#[test]
fn every_version_is_the_same() {
    let version = env!("CARGO_PKG_VERSION");
    for path in ["js/package.json", "js/create/package.json"] {
        let package = fs::read_to_string(root().join(path)).unwrap();
        assert!(package.contains(&format!("\"version\": \"{version}\"")), "{path} is not at {version}");
    }
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    assert!(changelog.contains(&format!("## {version}")), "CHANGELOG.md has no heading for {version}");
    // A published package names the versions of the others.
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let own: Vec<_> =
        manifest.lines().filter(|line| line.starts_with("sillok") && line.contains("path =")).collect();
    assert_eq!(own.len(), 4);
    assert!(own.iter().all(|line| line.contains(&format!("version = \"{version}\""))), "{own:?}");
}
