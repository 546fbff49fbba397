//! Work that is skipped if neither its inputs nor its outputs have changed.
//!
//! The contents are hashed, and times are not compared. Hashes survive a checkout, a copy and a wrong clock, and the trees are
//! small.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result};

use crate::run;
use crate::shell::Shell;

/// One piece of work: its inputs, its outputs, and the versions of its tools.
pub(crate) struct Work<'a> {
    pub(crate) name: &'a str,
    pub(crate) inputs: &'a [&'a str],
    pub(crate) outputs: &'a [&'a str],
    pub(crate) tools: String,
}

/// Does the work, unless target/stamps says that these inputs have already made these outputs.
pub(crate) fn unless_fresh(shell: &Shell, work: &Work, job: impl FnOnce() -> Result<()>) -> Result<()> {
    let path = shell.at("target/stamps").join(work.name.replace(' ', "-"));
    if fs::read_to_string(&path).is_ok_and(|stamp| state(shell, work).is_ok_and(|now| now == stamp)) {
        return Ok(());
    }
    // The inputs are hashed before the work. If they change during the work, the next run must do it again.
    let inputs = inputs(shell, work)?;
    run::step(work.name, job)?;
    fs::create_dir_all(shell.at("target/stamps"))?;
    let stamp = render(work, inputs, hash(shell, work.outputs)?);
    fs::write(&path, stamp).with_context(|| format!("cannot write {}", path.display()))
}

fn state(shell: &Shell, work: &Work) -> Result<String> {
    Ok(render(work, inputs(shell, work)?, hash(shell, work.outputs)?))
}

/// The tools of the work are inputs too.
fn inputs(shell: &Shell, work: &Work) -> Result<u64> {
    hash(shell, &[work.inputs, &["xtask/src/build.rs"]].concat())
}

fn render(work: &Work, inputs: u64, outputs: u64) -> String {
    format!("{inputs:016x} {outputs:016x} {}\n", work.tools)
}

/// A hash of files and folders. A missing one has a hash too.
fn hash(shell: &Shell, paths: &[&str]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        add(&shell.at(path), &mut hasher).with_context(|| format!("cannot read {path}"))?;
    }
    Ok(hasher.finish())
}

fn add(path: &Path, hasher: &mut impl Hasher) -> Result<()> {
    if path.is_dir() {
        let mut entries =
            fs::read_dir(path)?.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
        entries.sort();
        entries.len().hash(hasher);
        for entry in entries {
            entry.file_name().hash(hasher);
            add(&entry, hasher)?;
        }
    } else if path.exists() {
        fs::read(path)?.hash(hasher);
    } else {
        "missing".hash(hasher);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &Path) -> Result<u64> {
        let mut hasher = DefaultHasher::new();
        add(path, &mut hasher)?;
        Ok(hasher.finish())
    }

    #[test]
    fn a_tree_has_another_hash_when_a_file_changes_appears_or_moves() -> Result<()> {
        let root = std::env::temp_dir().join(format!("sillok-stamp-{}", std::process::id()));
        fs::create_dir_all(root.join("inner"))?;
        fs::write(root.join("inner/a"), "1")?;
        let first = of(&root)?;
        assert_eq!(of(&root)?, first);
        fs::write(root.join("inner/a"), "2")?;
        let changed = of(&root)?;
        fs::write(root.join("b"), "")?;
        let appeared = of(&root)?;
        fs::rename(root.join("b"), root.join("inner/b"))?;
        let moved = of(&root)?;
        fs::remove_dir_all(&root)?;
        let gone = of(&root)?;
        let mut all = vec![first, changed, appeared, moved, gone];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 5);
        Ok(())
    }
}
