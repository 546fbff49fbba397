//! `pack`: makes the npm package as the tarball for publication, in target/package.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::build;
use crate::run;
use crate::shell::Shell;

/// Runs the command. The last printed line is the tarball's path.
pub(crate) fn run(mut shell: Shell) -> Result<()> {
    build::prepare(&mut shell)?;
    build::all(&shell)?;
    println!("{}", tarball(&shell)?.display());
    Ok(())
}

/// Packs the build, and returns the path of the tarball.
pub(crate) fn tarball(shell: &Shell) -> Result<PathBuf> {
    let folder = shell.at("target/package");
    // The folder is emptied first, so that it contains only this tarball.
    build::remove(&folder)?;
    fs::create_dir_all(&folder)?;
    run::step("packing the npm package", || {
        run::quiet(shell.command("npm").args(["pack", "./js", "--pack-destination"]).arg(&folder))
    })?;
    fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .context("`npm pack` did not write a tarball")
}
