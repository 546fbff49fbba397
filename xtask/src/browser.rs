//! Chromium and its driver for the browser tests. They are found, or installed from Debian.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::run;
use crate::shell::Shell;

const HELP: &str = "The tests need Chromium and chromedriver of the same version. \
    On Debian: sudo apt-get install chromium chromium-driver. \
    Elsewhere: set the environment variables CHROME and CHROMEDRIVER to their paths";

/// The paths of the two programs.
pub(crate) struct Browser {
    pub(crate) chrome: PathBuf,
    pub(crate) driver: PathBuf,
}

/// Finds both programs. If one is missing, it installs Debian's.
pub(crate) fn ensure(shell: &Shell) -> Result<Browser> {
    if let Some(browser) = find(shell) {
        return Ok(browser);
    }
    if shell.which("apt-get").is_none() {
        bail!("{HELP}");
    }
    let Some(prefix) = administrator(shell) else {
        bail!("{HELP}");
    };
    run::step("installing Debian's chromium and chromium-driver, about 2 minutes…", || {
        run::quiet(&mut apt_get(shell, prefix, &["update"]))?;
        let packages = ["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"];
        run::quiet(&mut apt_get(shell, prefix, &packages))
    })?;
    match find(shell) {
        Some(browser) => Ok(browser),
        None => bail!("{HELP}"),
    }
}

fn find(shell: &Shell) -> Option<Browser> {
    let chrome = named("CHROME").or_else(|| {
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
            .into_iter()
            .find_map(|name| shell.which(name))
    })?;
    let driver = named("CHROMEDRIVER").or_else(|| shell.which("chromedriver"))?;
    Some(Browser { chrome, driver })
}

fn named(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os(variable)?);
    path.is_file().then_some(path)
}

/// The words before a command that runs it as root without a password. `None` if that is not possible.
fn administrator(shell: &Shell) -> Option<&'static [&'static str]> {
    if shell.answer("id", &["-u"])? == "0" {
        return Some(&[]);
    }
    shell.answer("sudo", &["--non-interactive", "true"])?;
    Some(&["sudo", "--non-interactive"])
}

fn apt_get(shell: &Shell, prefix: &[&str], args: &[&str]) -> Command {
    // sudo drops the environment, so `env` sets it after sudo.
    let words = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"], args].concat();
    let (program, rest) = words.split_first().unwrap_or((&"apt-get", &[]));
    let mut command = shell.command(Path::new(program));
    command.args(rest);
    command
}
