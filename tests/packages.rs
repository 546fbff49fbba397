//! The packages of the registry: their names, and the files that are in them.
//!
//! With `SILLOK_SOAK=on`, each package is also compiled from its packed files, as `cargo publish` does it. That takes minutes.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)] // a test may panic

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Each published package and its folder. They are published in this order.
const PACKAGES: [(&str, &str); 4] = [
    ("sillok-core", "."),
    ("sillok-bridge", "bridge"),
    ("sillok-sqlite", "sqlite"),
    ("sillok-worker", "worker"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs cargo in the project, and returns what it prints.
fn cargo(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(words).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_published_packages_are_these() {
    let metadata = cargo(&["metadata", "--no-deps", "--offline", "--format-version=1"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let members = metadata["packages"].as_array().unwrap();
    let published = members.iter().filter(|package| package["publish"].is_null());
    let names: BTreeSet<_> = published.clone().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(names, PACKAGES.iter().map(|(name, _)| *name).collect());
    for package in published {
        for field in ["description", "license", "readme", "rust_version"] {
            assert!(package[field].is_string(), "{} has no {field}", package["name"]);
        }
        for field in ["keywords", "categories"] {
            let words = package[field].as_array().unwrap().len();
            assert!((1..=5).contains(&words), "{} has {words} {field}", package["name"]);
        }
        // A package whose dependency names no version cannot be published.
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let own = dependencies.filter(|dependency| dependency["path"].is_string());
        assert!(own.clone().all(|dependency| dependency["req"] != "*"), "{}", package["name"]);
    }
}

#[test]
fn a_package_has_only_what_its_users_need() {
    for (name, folder) in PACKAGES {
        let listed = cargo(&["package", "--list", "--offline", "--allow-dirty", "--package", name]);
        let files: BTreeSet<_> = listed.lines().collect();
        let readme = if folder == "." { "src/README.md" } else { "README.md" };
        for needed in [readme, "LICENSE-APACHE", "LICENSE-MIT", "Cargo.toml", "src/lib.rs"] {
            assert!(files.contains(needed), "{name} has no {needed}");
        }
        let made = ["Cargo.lock", "Cargo.toml", "Cargo.toml.orig", ".cargo_vcs_info.json"];
        let strange = files.iter().filter(|file| {
            let is_source =
                file.starts_with("src/") && (file.ends_with(".rs") || file.ends_with("/openapi.json"));
            !is_source && !file.starts_with("LICENSE-") && **file != readme && !made.contains(file)
        });
        assert_eq!(strange.collect::<Vec<_>>(), Vec::<&&str>::new(), "{name}");
    }
}

#[test]
fn all_packages_can_be_published_together() {
    let target = env::temp_dir().join(format!("sillok-packages-{}", std::process::id()));
    let target_text = target.to_str().unwrap();
    let mut words = vec!["package", "--offline", "--allow-dirty", "--target-dir", target_text];
    words.extend(PACKAGES.iter().flat_map(|(name, _)| ["--package", name]));
    if env::var("SILLOK_SOAK").is_err() {
        words.push("--no-verify");
    }
    cargo(&words);
    for (name, _) in PACKAGES {
        let packed = target.join(format!("package/{name}-{}.crate", env!("CARGO_PKG_VERSION")));
        let bytes = fs::metadata(&packed).unwrap().len();
        assert!((20_000..400_000).contains(&bytes), "{name} has {bytes} bytes");
    }
    fs::remove_dir_all(target).unwrap();
}

#[test]
fn the_dependencies_in_the_readme_are_found() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let shown = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    let own: Vec<_> = shown.lines().filter(|line| line.starts_with("sillok")).collect();
    assert!(own.len() >= 2 && own.iter().all(|line| line.contains(&version)), "{own:?}");

    let folder = env::temp_dir().join(format!("sillok-readme-{}", std::process::id()));
    fs::create_dir_all(folder.join("src")).unwrap();
    let package = "[package]\nname = \"reader\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n";
    let manifest = [package, &shown.replace("../sillok", root().to_str().unwrap())].concat();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/lib.rs"), "").unwrap();
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let path = folder.join("Cargo.toml");
    let words = ["metadata", "--offline", "--format-version=1", "--manifest-path", path.to_str().unwrap()];
    let found: serde_json::Value = serde_json::from_str(&cargo(&words)).unwrap();
    let packages = found["packages"].as_array().unwrap();
    for name in ["sillok-core", "sillok-sqlite"] {
        assert!(packages.iter().any(|package| package["name"] == name), "{name}");
    }
    fs::remove_dir_all(folder).unwrap();
}
