//! `pack`: makes the npm packages `sillok` and `create-sillok` as the tarballs for publication, in target/package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::build;
use crate::run;
use crate::shell::Shell;

/// The paths of the tarballs.
pub(crate) struct Tarballs {
    pub(crate) create: PathBuf,
    pub(crate) sillok: PathBuf,
}

/// Runs the command. The last printed line is the path of the tarball of `sillok`.
pub(crate) fn run(mut shell: Shell) -> Result<()> {
    build::prepare(&mut shell)?;
    build::all(&shell)?;
    let Tarballs { create, sillok } = tarballs(&shell)?;
    println!("{}\n{}", create.display(), sillok.display());
    Ok(())
}

/// Packs the build, and returns the paths of the tarballs.
pub(crate) fn tarballs(shell: &Shell) -> Result<Tarballs> {
    let folder = shell.at("target/package");
    // The folder is emptied first, so that it contains only these tarballs.
    build::remove(&folder)?;
    fs::create_dir_all(&folder)?;
    run::step("packing the npm packages", || {
        let workspaces = ["--workspace", "sillok", "--workspace", "create-sillok"];
        run::quiet(shell.command("npm").arg("pack").args(workspaces).arg("--pack-destination").arg(&folder))
    })?;
    Ok(Tarballs { create: tarball(&folder, "create-sillok-")?, sillok: tarball(&folder, "sillok-")? })
}

/// The tarball whose name begins with `start`. The version comes after it.
fn tarball(folder: &Path, start: &str) -> Result<PathBuf> {
    fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(start) && name.ends_with(".tgz")
        })
        .with_context(|| format!("`npm pack` did not write {start}….tgz"))
}
