//! The project root and the search path, which every child process gets.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow};

/// The environment of every child. These variables let tools work offline and without questions. The last one makes
/// wasm-bindgen expand macros as `worker-build` does. So a crate that the Worker and the npm package share is compiled once.
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

/// Starts programs in the project root, with the project's own search path.
pub(crate) struct Shell {
    root: PathBuf,
    path: OsString,
}

impl Shell {
    /// Puts the project's own tools first, then the machine's search path.
    pub(crate) fn new() -> Result<Self> {
        // Cargo sets the variable for `cargo run`. A user may also run the binary directly, and then the root is the one of its
        // build.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().context("xtask is not inside a project")?.to_path_buf();
        let mut shell = Self { path: env::var_os("PATH").unwrap_or_default(), root };
        shell.prefer(&shell.at("node_modules/.bin"))?;
        shell.prefer(&shell.at("target/tools/bin"))?;
        Ok(shell)
    }

    /// Searches `dir` before all other folders.
    pub(crate) fn prefer(&mut self, dir: &Path) -> Result<()> {
        let dirs = std::iter::once(dir.to_path_buf()).chain(env::split_paths(&self.path));
        self.path = env::join_paths(dirs).context("a directory on PATH cannot be quoted")?;
        Ok(())
    }

    /// A path in the project.
    pub(crate) fn at(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// A program to run in the project root. It has no standard input, so it cannot ask questions.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(&self.root)
            .env("PATH", &self.path)
            // This overrides the user's own settings of cargo, because later steps use paths below this folder.
            .env("CARGO_TARGET_DIR", self.at("target"))
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", self.without_own_paths())
            .env("WASM_PACK_CACHE", self.at("target/tools/cache"))
            .env("WRANGLER_LOG_PATH", self.at(".wrangler/logs"))
            .env("WRANGLER_REGISTRY_PATH", self.at(".wrangler/registry"))
            .envs(ENVIRONMENT)
            .stdin(Stdio::null());
        command
    }

    /// Flags that remove the paths of this machine from the wasm modules. Panic messages would contain them.
    fn without_own_paths(&self) -> String {
        let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| format!("{home}/.cargo")));
        let root = self.root.display();
        format!("--remap-path-prefix={root}=. --remap-path-prefix={}=cargo", home.unwrap_or_default())
    }

    /// The path of a program on the search path.
    pub(crate) fn which(&self, program: &str) -> Option<PathBuf> {
        env::split_paths(&self.path).map(|dir| dir.join(program)).find(|path| path.is_file())
    }

    /// The output of `program args…`, trimmed. `None` if the program is missing or fails.
    pub(crate) fn answer(&self, program: impl AsRef<Path>, args: &[&str]) -> Option<String> {
        let output = self.command(program).args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    }

    /// Reads a file of the project as text.
    pub(crate) fn read(&self, relative: &str) -> Result<String> {
        std::fs::read_to_string(self.at(relative)).map_err(|e| anyhow!("cannot read {relative}: {e}"))
    }
}
