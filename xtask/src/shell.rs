//! The project root and the search path: how every child process is started.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow};

/// Set for every child. They keep tools offline and from asking questions; the last one makes
/// wasm-bindgen expand macros as `worker-build` has it, so that crates shared by the Worker and the
/// npm package are compiled once and the same.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("CLOUDFLARE_CF_FETCH_ENABLED", "false"),
    ("WRANGLER_HIDE_BANNER", "true"),
    ("WRANGLER_NO_SKILLS_UPDATE_PROMPTS", "true"),
    ("WRANGLER_SEND_ERROR_REPORTS", "false"),
    ("WRANGLER_SEND_METRICS", "false"),
    ("npm_config_audit", "false"),
    ("npm_config_fund", "false"),
    ("npm_config_update_notifier", "false"),
    ("WASM_BINDGEN_USE_JS_SYS", "1"),
];

/// Starts programs in the project root, on the project's own search path.
pub(crate) struct Shell {
    root: PathBuf,
    path: OsString,
}

impl Shell {
    /// The project's own tools come first, then what the machine has.
    pub(crate) fn new() -> Result<Self> {
        // Cargo sets the variable for `cargo run`; the binary run by hand falls back to where it was built.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().context("xtask is not inside a project")?.to_path_buf();
        let mut shell = Self { path: env::var_os("PATH").unwrap_or_default(), root };
        shell.prefer(&shell.at("node_modules/.bin"))?;
        shell.prefer(&shell.at("target/tools/bin"))?;
        Ok(shell)
    }

    /// Searches `dir` before all others.
    pub(crate) fn prefer(&mut self, dir: &Path) -> Result<()> {
        let dirs = std::iter::once(dir.to_path_buf()).chain(env::split_paths(&self.path));
        self.path = env::join_paths(dirs).context("a directory on PATH cannot be quoted")?;
        Ok(())
    }

    /// A path in the project.
    pub(crate) fn at(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// A program to run in the project root. It has no standard input: nothing may ask questions.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(&self.root)
            .env("PATH", &self.path)
            // Whatever the user's own cargo settings say: paths below it are used here.
            .env("CARGO_TARGET_DIR", self.at("target"))
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", self.without_own_paths())
            .env("WASM_PACK_CACHE", self.at("target/tools/cache"))
            .env("WRANGLER_LOG_PATH", self.at(".wrangler/logs"))
            .env("WRANGLER_REGISTRY_PATH", self.at(".wrangler/registry"))
            .envs(ENVIRONMENT)
            .stdin(Stdio::null());
        command
    }

    /// Keeps the paths of this machine out of the wasm modules, where panic messages would carry them.
    fn without_own_paths(&self) -> String {
        let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| format!("{home}/.cargo")));
        let root = self.root.display();
        format!("--remap-path-prefix={root}=. --remap-path-prefix={}=cargo", home.unwrap_or_default())
    }

    /// Where a program is found on the search path.
    pub(crate) fn which(&self, program: &str) -> Option<PathBuf> {
        env::split_paths(&self.path).map(|dir| dir.join(program)).find(|path| path.is_file())
    }

    /// What `program args…` prints, trimmed; `None` when it is missing or fails.
    pub(crate) fn answer(&self, program: impl AsRef<Path>, args: &[&str]) -> Option<String> {
        let output = self.command(program).args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    }

    /// A file of the project as text.
    pub(crate) fn read(&self, relative: &str) -> Result<String> {
        std::fs::read_to_string(self.at(relative)).map_err(|e| anyhow!("cannot read {relative}: {e}"))
    }
}
