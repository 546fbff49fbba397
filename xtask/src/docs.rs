//! `docs`: serves the documentation site on this machine, or builds it into target/site. It needs Node, and builds no Rust.

use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};

use crate::run;
use crate::shell::Shell;
use crate::tools;

/// The folder of the built site. docs/.vitepress/config.mjs has it too.
const SITE: &str = "target/site";

/// The options of the command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Builds the site, and does not serve it.
    pub(crate) build: bool,
    pub(crate) port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self { build: false, port: 5173 }
    }
}

/// Runs the command. The last printed line of a build is the folder of the site.
pub(crate) fn run(mut shell: Shell, options: &Options) -> Result<()> {
    tools::node(&mut shell)?;
    tools::npm_packages(&shell)?;
    run::step("writing the reference of the npm package", || {
        run::shown(shell.command("node").arg("docs/.vitepress/generate.mjs"))
    })?;
    if options.build {
        run::step("building the site, about half a minute…", || {
            run::quiet(shell.command("vitepress").args(["build", "docs"]))
        })?;
        println!("{}", shell.at(SITE).display());
        return Ok(());
    }
    run::say("==> serving the site until Ctrl-C");
    let mut server = shell.command("vitepress");
    server.args(["dev", "docs", "--host", "127.0.0.1", "--strictPort", "--port", &options.port.to_string()]);
    // The server takes the place of this process, so that it ends with it.
    Err(server.exec()).context("cannot run `vitepress dev`")
}
