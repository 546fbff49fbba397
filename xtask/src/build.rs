//! `build`: the Worker (worker/build) and the npm packages (js/dist, whose browser build is copied to the pages, and js/create/dist). On request it
//! also builds the Workers in Rust of the examples (examples/*-rust/build) and of a test (tests/crashes/build), and the Worker
//! of the previous version (target/previous, see [`previous`]).
//!
//! Cargo always runs, because it knows best whether Rust sources have changed. The other steps are skipped while the compiled
//! wasm is the same. `wrangler dev` and `wrangler deploy` run this command too (wrangler.toml, `[build]`), so it must be fast.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};

use crate::previous;
use crate::run::{self, Job};
use crate::shell::Shell;
use crate::stamp::{Work, unless_fresh};
use crate::tools;

const TARGET: &str = "wasm32-unknown-unknown";
const JS_WASM: &str = "target/wasm32-unknown-unknown/release/sillok_js.wasm";
/// The package of the npm package's wasm.
const JS: (&str, &str) = ("sillok-js", JS_WASM);
const GENERATED_WASM: &str = "js/generated/sillok_js_bg.wasm";

/// The folders of the pages that use the package without a bundler, and the file of js/dist that each uses.
const PAGES: [(&str, &str); 2] =
    [("www/sillok", "console/sillok/sillok.js"), ("examples/bank/page/sillok", "client.js")];

/// The inputs of the JavaScript build. It contains the Worker as `sillok/worker` and `sillok/rust`, and the console.
const JS_INPUTS: [&str; 48] = [
    "js/generated",
    "js/ts",
    "js/build.mjs",
    "js/package.json",
    "js/tsconfig.json",
    "js/tsconfig.types.json",
    "tsconfig.json",
    "package-lock.json",
    "js/README.md",
    "worker/aggregate-code.ts",
    "worker/app.ts",
    "worker/build",
    "worker/composition.ts",
    "worker/consumer-handler.ts",
    "worker/crashes.ts",
    "worker/described.ts",
    "worker/elsewhere.ts",
    "worker/engine.ts",
    "worker/index.ts",
    "worker/newest-events.ts",
    "worker/node.ts",
    "worker/objects.ts",
    "worker/over-engine.ts",
    "worker/reads.ts",
    "worker/registry.ts",
    "worker/rust.ts",
    "worker/sending.ts",
    "worker/tsconfig.json",
    "worker/tsconfig.types.json",
    "worker/webhook.ts",
    "www/_headers",
    "www/api.js",
    "www/append.js",
    "www/dom.js",
    "www/favicon.svg",
    "www/index.html",
    "www/json-text.js",
    "www/main.js",
    "www/parts.css",
    "www/problem.js",
    "www/style.css",
    "www/timeline.js",
    "www/token.js",
    "www/tutorial-program.js",
    "www/tutorial.js",
    "www/wire.js",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// The inputs of `create-sillok`. The versions of dependencies in its templates come from package.json.
const CREATE_INPUTS: [&str; 8] = [
    "js/create/build.mjs",
    "js/create/package.json",
    "js/create/templates",
    "js/create/ts",
    "package.json",
    "package-lock.json",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// The features that Rust's wasm32 target uses today. worker-build has the same list. So wasm-opt writes no newer encoding,
/// which a runtime may not know yet.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The additional builds, beside the deployed Worker and the published package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) examples: bool,
    pub(crate) previous: bool,
}

/// Runs the command.
pub(crate) fn run(mut shell: Shell, options: Options) -> Result<()> {
    prepare(&mut shell)?;
    if options.previous {
        previous::build(&shell)?;
    }
    if options.examples { with_examples(&shell) } else { all(&shell) }
}

/// Installs what is missing, and meanwhile compiles the Rust of the deployed Worker and of the published package: on a fresh
/// clone, both take minutes. Every build needs this first.
pub(crate) fn prepare(shell: &mut Shell) -> Result<()> {
    tools::platform(shell)?;
    let shell = &*shell;
    let compiled = || {
        tools::npm_packages(shell)?;
        compile(shell, &[(PLAIN.package, PLAIN.wasm)])?;
        compile(shell, &[JS])
    };
    run::side_by_side(vec![Box::new(|| tools::for_bundles(shell)), Box::new(compiled)])
}

/// Builds the deployed Worker and the published package, after [`prepare`].
pub(crate) fn all(shell: &Shell) -> Result<()> {
    with(shell, &[])
}

/// Builds these and the other Workers in Rust.
pub(crate) fn with_examples(shell: &Shell) -> Result<()> {
    with(shell, &[&DELAYS, &BANK, &CRASHES])
}

/// Builds what the example with this name needs.
pub(crate) fn for_example(shell: &Shell, name: &str) -> Result<()> {
    let folder = format!("examples/{name}");
    let is_of = |example: &&&Bundle| example.folder == folder;
    let own: Vec<&Bundle> = [&BANK, &DELAYS].iter().filter(is_of).copied().collect();
    with(shell, &own)
}

/// Builds the deployed Worker, the published package and other Workers in Rust. Most of the time of a module is one thread's.
fn with(shell: &Shell, others: &[&Bundle]) -> Result<()> {
    let bundles = [&[&PLAIN], others].concat();
    let libraries: Vec<_> = bundles.iter().map(|bundle| (bundle.package, bundle.wasm)).collect();
    compile(shell, &libraries)?;
    compile(shell, &[JS])?;
    let mut jobs: Vec<Job> = vec![Box::new(|| bound(shell))];
    jobs.extend(bundles.into_iter().map(|bundle| -> Job { Box::new(|| self::bundle(shell, bundle)) }));
    run::side_by_side(jobs)?;
    package(shell)
}

/// A Worker in Rust.
struct Bundle {
    name: &'static str,
    package: &'static str,
    /// The wasm module that cargo writes.
    wasm: &'static str,
    /// The folder of its Cargo.toml.
    folder: &'static str,
    /// The output of worker-build: its path from the folder, and its path from the root.
    out: (&'static str, &'static str),
}

/// The plain Worker, for deployments without a composition.
const PLAIN: Bundle = Bundle {
    name: "bundling the Worker",
    package: "sillok-worker-plain",
    wasm: "target/wasm32-unknown-unknown/release/sillok_worker_plain.wasm",
    folder: "worker/plain",
    out: ("../build", "worker/build"),
};

/// An example in Rust, built as a user builds it.
const BANK: Bundle = Bundle {
    name: "bundling the bank in Rust",
    package: "bank",
    wasm: "target/wasm32-unknown-unknown/release/bank.wasm",
    folder: "examples/bank-rust",
    out: ("build", "examples/bank-rust/build"),
};

/// Another example.
const DELAYS: Bundle = Bundle {
    name: "bundling the delays in Rust",
    package: "delays",
    wasm: "target/wasm32-unknown-unknown/release/delays.wasm",
    folder: "examples/delays-rust",
    out: ("build", "examples/delays-rust/build"),
};

/// A Worker in Rust whose handlers crash. An example cannot show this, because users follow examples.
const CRASHES: Bundle = Bundle {
    name: "bundling the Worker that crashes",
    package: "crashes",
    wasm: "target/wasm32-unknown-unknown/release/crashes.wasm",
    folder: "tests/crashes",
    out: ("build", "tests/crashes/build"),
};

/// Bundles a Worker that is compiled.
fn bundle(shell: &Shell, bundle: &Bundle) -> Result<()> {
    let Bundle { name, wasm, folder, out, .. } = bundle;
    let work = Work {
        name,
        inputs: &[wasm, &format!("{folder}/Cargo.toml"), "package-lock.json"],
        outputs: &[out.1],
        tools: tool_versions(shell),
    };
    unless_fresh(shell, &work, || worker_build(shell, folder, out.0))
}

/// Compiles the Worker in a folder, and writes its module to `out`, a path from that folder.
pub(crate) fn worker_build(shell: &Shell, folder: &str, out: &str) -> Result<()> {
    run::quiet(
        shell
            .command("worker-build")
            .args(["--release", "--out-dir", out])
            .current_dir(shell.at(folder))
            // Without these, worker-build would download its own tools.
            .env("WASM_BINDGEN_BIN", shell.at("target/tools/bin/wasm-bindgen"))
            .env("WASM_OPT_BIN", shell.at("node_modules/.bin/wasm-opt"))
            .env("ESBUILD_BIN", shell.at("node_modules/.bin/esbuild")),
    )
}

/// Binds the wasm of the npm package to JavaScript.
fn bound(shell: &Shell) -> Result<()> {
    let work = Work {
        name: "binding the package's wasm",
        inputs: &[JS_WASM, "package-lock.json"],
        outputs: &["js/generated"],
        tools: tool_versions(shell),
    };
    unless_fresh(shell, &work, || bind(shell))
}

fn package(shell: &Shell) -> Result<()> {
    let work = Work {
        name: "building the npm package",
        inputs: &JS_INPUTS,
        outputs: &["js/dist", "js/LICENSE-APACHE", "js/LICENSE-MIT", PAGES[0].0, PAGES[1].0],
        tools: String::new(),
    };
    unless_fresh(shell, &work, || {
        run::quiet(shell.command("node").arg("js/build.mjs"))?;
        serve(shell)
    })?;
    let work = Work {
        name: "building the npm package create-sillok",
        inputs: &CREATE_INPUTS,
        outputs: &["js/create/dist", "js/create/LICENSE-APACHE", "js/create/LICENSE-MIT"],
        tools: String::new(),
    };
    unless_fresh(shell, &work, || run::quiet(shell.command("node").arg("js/create/build.mjs")))
}

/// Compiles packages at once. Each has the path of its wasm.
fn compile(shell: &Shell, libraries: &[(&str, &str)]) -> Result<()> {
    let is_new = libraries.iter().any(|(_, wasm)| !shell.at(wasm).exists());
    let hint = if is_new { ", about a minute…" } else { "" };
    let packages: Vec<_> = libraries.iter().map(|(package, _)| *package).collect();
    run::say(&format!("==> compiling {}{hint}", packages.join(", ")));
    let mut command = shell.command("cargo");
    command.args(["build", "--release", "--lib", "--target", TARGET]);
    run::shown(command.args(packages.iter().flat_map(|package| ["--package", package])))
}

fn bind(shell: &Shell) -> Result<()> {
    remove(&shell.at("js/generated"))?;
    run::quiet(shell.command("wasm-bindgen").args([
        "--target",
        "web",
        "--out-dir",
        "js/generated",
        JS_WASM,
    ]))?;
    run::quiet(
        shell
            .command("wasm-opt")
            .args(["-Os", "--converge", GENERATED_WASM, "-o", GENERATED_WASM])
            .args(WASM_FEATURES),
    )
}

/// Each page has its file with everything that the file imports.
fn serve(shell: &Shell) -> Result<()> {
    for (folder, file) in PAGES {
        remove(&shell.at(folder))?;
        let from = format!("js/dist/{file}");
        let to = format!("--outdir={folder}");
        let options = ["--bundle", "--format=esm", "--log-level=warning"];
        run::quiet(shell.command("esbuild").args([&from, &to]).args(options))?;
    }
    Ok(())
}

pub(crate) fn tool_versions(shell: &Shell) -> String {
    ["wasm-bindgen", "worker-build"]
        .into_iter()
        .filter_map(|tool| shell.answer(tool, &["--version"]))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Removes a folder. The folder may be missing.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
