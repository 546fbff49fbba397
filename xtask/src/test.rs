//! `test`: runs lint and every test. The last printed line is `N passed, N failed`.
//!
//! Every suite runs, even after one has failed. A suite that ran no tests counts as one failure. So does a step without counts
//! that failed.

use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};

use crate::browser::{self, Browser};
use crate::build;
use crate::counts::{self, Counts};
use crate::lint;
use crate::pack::{self, Tarballs};
use crate::previous;
use crate::run;
use crate::shell::Shell;
use crate::tools;

/// The suites of TypeScript tests: folders with `*.test.ts` in them.
const NODE_SUITES: [&str; 6] =
    ["examples", "tests/http", "tests/package", "tests/create", "tests/page", "tests/docs"];

/// Runs the command.
pub(crate) fn run(shell: Shell) -> Result<ExitCode> {
    let start = Instant::now();
    let mut report = Report::default();
    all(shell, &mut report);
    report.print(start);
    let total = report.total();
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn all(mut shell: Shell, report: &mut Report) {
    if !report.step("set-up", build::prepare(&mut shell)) {
        return;
    }
    let shell = &shell;
    // What only tests need is installed meanwhile. The browser is mostly a download, which takes no processor.
    thread::scope(|scope| {
        let browser = scope.spawn(|| browser::ensure(shell));
        let runner = scope.spawn(|| tools::for_test(shell));
        report.step("build of the previous version", previous::build(shell));
        let built = report.step("build", build::with_examples(shell));
        for check in lint::CHECKS {
            report.step(check.name, check.make(shell));
        }
        report.suite("native", || native(shell));
        let (browser, runner) = (joined(browser), joined(runner));
        if report.step("set-up of the tests in wasm", runner) {
            report.suite("wasm in Node", || wasm_node(shell));
            report.suite("messages in Node", || messages(shell));
            report.suite("wasm in Chromium", || wasm_browser(shell, usable(&browser)?));
        }
        let tarballs = built.then(|| pack::tarballs(shell));
        for suite in NODE_SUITES {
            report.suite(suite, || match &tarballs {
                None => bail!("the suite did not run, because the build failed"),
                Some(Err(error)) => bail!("the suite did not run, because packing failed: {error:#}"),
                Some(Ok(tarballs)) => node(shell, suite, tarballs, usable(&browser)?),
            });
        }
    });
}

/// The result of a thread.
fn joined<T>(thread: ScopedJoinHandle<Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow!("a job has panicked")))
}

fn usable(browser: &Result<Browser>) -> Result<&Browser> {
    browser.as_ref().map_err(|error| anyhow!("{error:#}"))
}

/// The report of a runner: whether it succeeded, and its counts.
type Reported = (bool, Counts);

/// Unit tests, integration tests, and the examples in the documentation.
fn native(shell: &Shell) -> Result<Reported> {
    let mut command = coloured(shell, "cargo");
    command.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    counted(&mut command, counts::libtest)
}

fn wasm_node(shell: &Shell) -> Result<Reported> {
    let mut command = wasm_pack(shell);
    command.arg("--node");
    counted(wasm_tests(&mut command), counts::libtest)
}

/// The bridge's messages are values of JavaScript, so their tests run in wasm. All other tests of the bridge run natively.
fn messages(shell: &Shell) -> Result<Reported> {
    let mut command = wasm_pack(shell);
    command.args(["--node", "bridge", "--test", "message"]);
    counted(&mut command, counts::libtest)
}

fn wasm_browser(shell: &Shell, browser: &Browser) -> Result<Reported> {
    let settings = shell.at("target/webdriver.json");
    let chrome = browser.chrome.to_str().context("the path of Chromium is not text")?;
    let options = format!(r#"{{"binary": {chrome:?}, "args": ["--disable-background-networking"]}}"#);
    fs::write(&settings, format!("{{\"goog:chromeOptions\": {options}}}\n"))?;
    let mut command = wasm_pack(shell);
    command
        .args(["--headless", "--chrome", "--chromedriver"])
        .arg(&browser.driver)
        // The tests themselves name no environment, because they run in Node too.
        .env("WASM_BINDGEN_USE_BROWSER", "1")
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", settings);
    counted(wasm_tests(&mut command), counts::libtest)
}

fn wasm_pack(shell: &Shell) -> Command {
    let mut command = coloured(shell, "wasm-pack");
    command
        .args(["test", "--mode", "no-install"])
        // The unit is seconds. The defaults (20 and 5) are too short for a busy machine.
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120")
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60");
    command
}

/// The tests in the root crate's tests/*.rs. Its unit and documentation tests run natively.
fn wasm_tests(command: &mut Command) -> &mut Command {
    command.args([".", "--features", "testing", "--test", "*"])
}

fn node(shell: &Shell, suite: &str, tarballs: &Tarballs, browser: &Browser) -> Result<Reported> {
    let files = test_files(&shell.at(suite))?;
    let mut command = coloured(shell, "node");
    command
        // A test waits more than it works: four files at once need two processors.
        .args(["--test", "--test-concurrency=4", "--test-reporter=spec"])
        // A hanging test fails after five minutes.
        .args(["--test-timeout=300000", "--disable-warning=ExperimentalWarning"])
        .args(files)
        .env("SILLOK_TARBALL", &tarballs.sillok)
        .env("SILLOK_CREATE_TARBALL", &tarballs.create)
        .env("CHROME", &browser.chrome);
    counted(&mut command, counts::node)
}

/// All `*.test.ts` in a folder and in its subfolders, in order.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(test_files(&path)?);
        } else if path.to_str().is_some_and(|name| name.ends_with(".test.ts")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Runs a program whose output is read here. On a terminal its output still has colours.
fn coloured(shell: &Shell, program: &str) -> Command {
    let mut command = shell.command(program);
    if stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
    }
    command
}

fn counted(command: &mut Command, count: fn(&str) -> Counts) -> Result<Reported> {
    let printed = run::printed(command)?;
    Ok((printed.status.success(), count(&printed.text)))
}

/// The counts of a runner, and its fault.
fn judged((content, counts): Reported) -> (Counts, &'static str) {
    let failed = Counts { failed: 1, ..counts };
    match (content, counts.passed + counts.failed, counts.failed) {
        (false, _, 0) => (failed, "the run failed without naming a failed test"),
        (true, 0, _) => (failed, "no tests were run"),
        _ => (counts, ""),
    }
}

/// The finished steps, in order.
#[derive(Default)]
struct Report {
    lines: Vec<(String, Counts, String)>,
}

impl Report {
    /// A step without counts. It counts only if it fails.
    fn step(&mut self, name: &str, result: Result<()>) -> bool {
        let Err(error) = result else { return true };
        run::say(&format!("error: {error:#}"));
        let failed = Counts { failed: 1, ..Counts::default() };
        self.lines.push((name.to_owned(), failed, format!("{error:#}")));
        false
    }

    fn suite(&mut self, name: &str, suite: impl FnOnce() -> Result<Reported>) {
        run::say(&format!("==> test: {name}"));
        let start = Instant::now();
        match suite() {
            Ok(reported) => {
                let (counts, wrong) = judged(reported);
                let took = run::seconds(start.elapsed());
                let note = if wrong.is_empty() { took } else { wrong.to_owned() };
                self.lines.push((name.to_owned(), counts, note));
            }
            Err(error) => {
                self.step(name, Err(error));
            }
        }
    }

    fn total(&self) -> Counts {
        let mut total = Counts::default();
        for (_, counts, _) in &self.lines {
            total.add(*counts);
        }
        total
    }

    fn print(&self, start: Instant) {
        println!("\nSummary after {}", run::seconds(start.elapsed()));
        for (name, counts, note) in &self.lines {
            let Counts { passed, failed, skipped } = counts;
            let mark = if *failed == 0 { "ok  " } else { "FAIL" };
            println!("{mark} {name:<20} {passed:>5} passed {failed:>4} failed {skipped:>4} skipped   {note}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64) -> Counts {
        Counts { passed, failed, skipped: 0 }
    }

    #[test]
    fn a_suite_must_run_tests_and_succeed() {
        assert_eq!(judged((true, counts(3, 0))), (counts(3, 0), ""));
        assert_eq!(judged((false, counts(3, 2))), (counts(3, 2), ""));
        assert_eq!(judged((true, counts(0, 0))).0, counts(0, 1));
        assert_eq!(judged((false, counts(0, 0))).0, counts(0, 1));
        assert_eq!(judged((false, counts(3, 0))).0, counts(3, 1));
    }

    #[test]
    fn failures_are_totalled() {
        let mut report = Report::default();
        assert!(report.step("good", Ok(())));
        assert!(!report.step("bad", Err(anyhow::anyhow!("broken"))));
        report.suite("suite", || Ok((true, counts(4, 0))));
        report.suite("empty", || Ok((true, counts(0, 0))));
        report.suite("missing", || bail!("no such folder"));
        assert_eq!(report.total(), counts(4, 3));
    }
}
