//! `lint`: formatting, clippy and TypeScript's types. Warnings are errors.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::build;
use crate::run;
use crate::shell::Shell;

/// Prose (Markdown) is wrapped by hand. JSON files are left out because the exact bytes of test data matter.
const PRETTIER_FILES: &str = "**/*.{ts,tsx,mts,js,mjs,css,html}";

/// Runs the command. It makes every check, even after one has failed.
pub(crate) fn run(mut shell: Shell) -> Result<ExitCode> {
    build::prepare(&mut shell)?;
    // The checks of types need the types of the generated code.
    build::with_examples(&shell)?;
    let mut failed = 0;
    for check in CHECKS {
        if let Err(error) = check.make(&shell) {
            eprintln!("error: {error:#}");
            failed += 1;
        }
    }
    if failed > 0 {
        bail!("{failed} of {} checks failed", CHECKS.len());
    }
    Ok(ExitCode::SUCCESS)
}

/// One check: a command that succeeds if it finds no error.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    /// The command that corrects the error, if there is one.
    remedy: Option<&'static str>,
}

impl Check {
    pub(crate) fn make(&self, shell: &Shell) -> Result<()> {
        run::step(self.name, || {
            let mut command: Command = shell.command(self.program);
            match (run::shown(command.args(self.args)), self.remedy) {
                (Err(error), Some(remedy)) => Err(error.context(format!("{remedy} corrects it"))),
                (result, _) => result,
            }
        })
    }
}

/// All checks. The quick ones come first.
pub(crate) const CHECKS: [Check; 6] = [
    Check {
        name: "lint: rustfmt",
        program: "cargo",
        args: &["fmt", "--all", "--check"],
        remedy: Some("`cargo fmt --all`"),
    },
    Check {
        name: "lint: prettier",
        program: "prettier",
        args: &["--check", "--log-level=warn", PRETTIER_FILES],
        remedy: Some("`npx prettier --write` with the files named above"),
    },
    Check {
        name: "lint: TypeScript",
        program: "tsc", // The projects that tsconfig.json lists.
        args: &["--build"],
        remedy: None,
    },
    Check {
        name: "lint: rustdoc",
        program: "cargo",
        args: &[
            "doc",
            "--no-deps",
            "--quiet",
            "--all-features",
            "--package=sillok-core",
            "--package=sillok-bridge",
            "--package=sillok-sqlite",
            "--package=sillok-worker",
        ],
        remedy: None,
    },
    Check {
        name: "lint: clippy",
        program: "cargo",
        args: &["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny=warnings"],
        remedy: None,
    },
    Check {
        name: "lint: clippy for wasm",
        program: "cargo",
        args: &[
            "clippy",
            "--target=wasm32-unknown-unknown",
            "--package=sillok-js",
            "--package=sillok-worker",
            "--package=sillok-worker-plain",
            "--package=delays",
            "--package=crashes",
            "--all-features",
            "--",
            "--deny=warnings",
        ],
        remedy: None,
    },
];
