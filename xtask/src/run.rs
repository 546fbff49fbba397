//! Running a child process. Its output is shown, hidden unless the process fails, or shown and also returned.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// Prints the name of a job, runs it, and prints its duration.
pub(crate) fn step<T>(what: &str, job: impl FnOnce() -> Result<T>) -> Result<T> {
    say(&format!("==> {what}"));
    let start = Instant::now();
    let result = job();
    let outcome = if result.is_ok() { "done" } else { "failed" };
    // Steps run side by side, so the line says which one has ended.
    let name = what.split([',', '…']).next().unwrap_or(what);
    say(&format!("    {outcome} after {}: {name}", seconds(start.elapsed())));
    result
}

/// A job for [`side_by_side`].
pub(crate) type Job<'a> = Box<dyn FnOnce() -> Result<()> + Send + 'a>;

/// Does all jobs at the same time: most of them use one processor. It waits for all, and returns the first error.
pub(crate) fn side_by_side(jobs: Vec<Job>) -> Result<()> {
    thread::scope(|scope| {
        let started: Vec<_> = jobs.into_iter().map(|job| scope.spawn(job)).collect();
        let ended: Vec<_> = started.into_iter().map(|job| job.join()).collect();
        ended.into_iter().try_for_each(|result| result.map_err(|_| anyhow!("a job has panicked"))?)
    })
}

/// Writes a line to standard error in one write. Other programs, such as wrangler, show their input in pieces.
pub(crate) fn say(line: &str) {
    // A line that cannot be shown is no reason to stop.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A duration in seconds, for people.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Runs a command and shows its output on standard error. Standard output is for results.
pub(crate) fn shown(command: &mut Command) -> Result<()> {
    let status = command.stdout(io::stderr()).status().with_context(|| missing(command))?;
    check(command, status)
}

/// Runs a command and shows its output only if it fails.
pub(crate) fn quiet(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| missing(command))?;
    if !output.status.success() {
        let mut stderr = io::stderr().lock();
        stderr.write_all(&output.stdout)?;
        stderr.write_all(&output.stderr)?;
    }
    check(command, output.status)
}

/// The output of a command that [`printed`] ran, and its status.
pub(crate) struct Printed {
    pub(crate) status: ExitStatus,
    pub(crate) text: String,
}

/// Runs a command, shows its output line by line, and returns it.
pub(crate) fn printed(command: &mut Command) -> Result<Printed> {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().with_context(|| missing(command))?;
    let stdout = child.stdout.take().context("the command has no standard output")?;
    let stderr = child.stderr.take().context("the command has no standard error")?;
    let (out, err) = thread::scope(|scope| {
        let err = scope.spawn(|| tee(stderr, io::stderr()));
        let out = tee(stdout, io::stdout());
        (out, err.join())
    });
    let err = err.map_err(|_| anyhow!("standard error could not be read"))??;
    let status = child.wait()?;
    let mut text = out?;
    text.push_str(&err);
    Ok(Printed { status, text })
}

/// Copies lines as they arrive, and returns them without colours.
fn tee(from: impl Read, mut to: impl Write) -> Result<String> {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    let mut text = String::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        text.push_str(&plain(&String::from_utf8_lossy(&line)));
        line.clear();
    }
    Ok(text)
}

/// The text without ANSI escape sequences (`ESC [ … letter`).
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().skip(1).find(|c| c.is_ascii_alphabetic());
        } else {
            out.push(c);
        }
    }
    out
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

fn missing(command: &Command) -> String {
    format!("cannot run `{}`", line(command))
}

/// The command as a user would type it, with only the name of its program.
fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed() {
        assert_eq!(plain("\u{1b}[32;1mok\u{1b}[0m. 3 passed"), "ok. 3 passed");
        assert_eq!(plain("plain"), "plain");
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        assert_eq!(line(Command::new("/opt/bin/npm").args(["ci", "--quiet"])), "npm ci --quiet");
    }
}
