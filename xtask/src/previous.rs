//! The Worker of the previous version, built from its own sources in target/previous. A test runs both versions over the same
//! storage, because objects of the two versions call one another during a gradual deployment.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::build::{remove, tool_versions, worker_build};
use crate::run;
use crate::shell::Shell;
use crate::stamp::{Work, unless_fresh};

/// The commit of the previous version. Set it at each release to the commit of the release before.
const COMMIT: &str = "948120b2cbc7c4bc56e150b73cfd09628a83c716";

const FOLDER: &str = "target/previous";

/// Builds the Worker, unless it is already built.
pub(crate) fn build(shell: &Shell) -> Result<()> {
    let work = Work {
        name: "building the previous version's Worker, about two minutes…",
        inputs: &["xtask/src/previous.rs"],
        outputs: &[FOLDER],
        tools: tool_versions(shell),
    };
    unless_fresh(shell, &work, || {
        check_out(shell)?;
        rename(shell)?;
        worker_build(shell, &format!("{FOLDER}/worker/plain"), "../build")
    })
}

fn check_out(shell: &Shell) -> Result<()> {
    let (folder, archive) = (shell.at(FOLDER), shell.at("target/previous.tar"));
    run::quiet(shell.command("git").args(["archive", "--format=tar", "--output"]).arg(&archive).arg(COMMIT))
        .with_context(|| {
            format!(
                "the previous version, commit {COMMIT}, cannot be checked out; \
                 in a shallow clone, `git fetch --unshallow` brings the commit"
            )
        })?;
    remove(&folder)?;
    fs::create_dir_all(&folder)?;
    run::quiet(shell.command("tar").arg("-xf").arg(&archive).arg("-C").arg(&folder))?;
    fs::remove_file(archive)?;
    Ok(())
}

/// Gives the previous version a version number that this one never has, and its wasm a name of its own. Cargo tells packages apart by
/// name, version and place in the workspace, but it writes the wasm of both under one name. So the two versions can share the
/// target folder, and with it the compiled dependencies.
fn rename(shell: &Shell) -> Result<()> {
    let manifest = shell.read(&format!("{FOLDER}/Cargo.toml"))?;
    let version = manifest.lines().find(|line| line.starts_with("version = "));
    let version = version.context("the previous version's Cargo.toml does not name its version")?;
    replace(shell, "Cargo.toml", version, "version = \"0.0.0-previous\"")?;
    replace(shell, "worker/plain/Cargo.toml", "[lib]", "[lib]\nname = \"sillok_worker_previous\"")
}

/// Replaces a text in a file of the previous version.
fn replace(shell: &Shell, file: &str, old: &str, new: &str) -> Result<()> {
    let path = format!("{FOLDER}/{file}");
    let text = shell.read(&path)?;
    if !text.contains(old) {
        bail!("{path} does not contain `{old}`");
    }
    fs::write(shell.at(&path), text.replacen(old, new, 1))?;
    Ok(())
}
