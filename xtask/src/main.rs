//! The project's own commands: `cargo xtask <command>`.
//!
//! All commands run on a machine that has only rustup, and Node with npm. Missing tools are installed inside the project, see
//! [`tools`].

#[cfg(not(unix))]
compile_error!("cargo xtask needs a Unix-like system; on Windows use WSL");

mod browser;
mod build;
mod counts;
mod dev;
mod docs;
mod examples;
mod lint;
mod pack;
mod previous;
mod run;
mod secret;
mod shell;
mod stamp;
mod test;
mod tools;
mod versions;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use lexopt::prelude::*;

use crate::shell::Shell;

const USAGE: &str = "\
Usage: cargo xtask <command>

Commands:
  dev [--example NAME] [--port N] [--persist DIR] [--secret SECRET]
                                   build, start the Worker or an example on this machine, and keep
                                   it running (port 8787, data in .wrangler/state). With a secret
                                   (`auto` makes one), requests need the token that it prints
  build [--examples] [--previous]  build the Worker and the npm packages, and the examples in Rust,
                                   and the previous version's Worker
  pack                             build, then pack the npm packages; the last line is the path of
                                   sillok, and the line before it that of create-sillok
  docs [--build] [--port N]        serve the documentation site on this machine (port 5173), or write it
                                   to target/site
  lint                             formatting, clippy, TypeScript types
  test                             lint and every test; the last line is `N passed, N failed`

What a command needs and the machine lacks is installed inside the project (target/tools,
node_modules). Only `test` may install outside it: Debian's chromium and chromium-driver.
";

/// The command of the command line.
enum Command {
    Help,
    Dev(dev::Options),
    Build(build::Options),
    Docs(docs::Options),
    Pack,
    Lint,
    Test,
}

fn main() -> ExitCode {
    let command = match parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("error: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match perform(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> Result<ExitCode> {
    match command {
        Command::Help => print!("{USAGE}"),
        Command::Dev(options) => dev::run(Shell::new()?, &options)?,
        Command::Build(options) => build::run(Shell::new()?, options)?,
        Command::Docs(options) => docs::run(Shell::new()?, &options)?,
        Command::Pack => pack::run(Shell::new()?)?,
        Command::Lint => return lint::run(Shell::new()?),
        Command::Test => return test::run(Shell::new()?),
    }
    Ok(ExitCode::SUCCESS)
}

fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let name = match parser.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected()),
    };
    let command = match name.as_str() {
        "dev" => return parse_dev(parser),
        "build" => return parse_build(parser),
        "docs" => return parse_docs(parser),
        "pack" => Command::Pack,
        "lint" => Command::Lint,
        "test" => Command::Test,
        "help" => Command::Help,
        _ => return Err(format!("there is no command `{name}`").into()),
    };
    match parser.next()? {
        None => Ok(command),
        Some(Short('h') | Long("help")) => Ok(Command::Help),
        Some(other) => Err(other.unexpected()),
    }
}

fn parse_build(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut options = build::Options::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("examples") => options.examples = true,
            Long("previous") => options.previous = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Build(options))
}

fn parse_docs(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut options = docs::Options::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("build") => options.build = true,
            Long("port") => options.port = parser.value()?.parse()?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Docs(options))
}

fn parse_dev(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut options = dev::Options::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("example") => options.example = Some(parser.value()?.string()?),
            Long("port") => options.port = parser.value()?.parse()?,
            Long("secret") => options.secret = Some(parser.value()?.parse()?),
            Long("persist") => options.persist = Some(PathBuf::from(parser.value()?)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Dev(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Command, lexopt::Error> {
        parse(lexopt::Parser::from_args(args))
    }

    #[test]
    fn no_argument_asks_for_help() {
        assert!(matches!(parsed(&[]), Ok(Command::Help)));
        assert!(matches!(parsed(&["--help"]), Ok(Command::Help)));
        assert!(matches!(parsed(&["build", "--help"]), Ok(Command::Help)));
    }

    #[test]
    fn dev_takes_an_example_a_port_and_a_directory() {
        let command = parsed(&["dev", "--example", "bank", "--port", "9000", "--persist=data"]);
        assert!(matches!(
            command,
            Ok(Command::Dev(dev::Options { example: Some(name), port: 9000, persist: Some(dir), .. }))
                if name == "bank" && dir == *"data"
        ));
        assert!(matches!(
            parsed(&["dev"]),
            Ok(Command::Dev(dev::Options { example: None, port: 8787, persist: None, secret: None }))
        ));
    }

    #[test]
    fn build_has_options_for_additional_builds() {
        let command = parsed(&["build", "--previous"]);
        let wanted = build::Options { examples: false, previous: true };
        assert!(matches!(command, Ok(Command::Build(options)) if options == wanted));
        assert!(
            matches!(parsed(&["build"]), Ok(Command::Build(options)) if options == build::Options::default())
        );
    }

    #[test]
    fn docs_are_served_or_built() {
        let command = parsed(&["docs", "--build"]);
        let wanted = docs::Options { build: true, ..docs::Options::default() };
        assert!(matches!(command, Ok(Command::Docs(options)) if options == wanted));
        let command = parsed(&["docs", "--port", "9000"]);
        let wanted = docs::Options { port: 9000, build: false };
        assert!(matches!(command, Ok(Command::Docs(options)) if options == wanted));
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for args in [
            &["fly"][..],
            &["--fast"],
            &["build", "--fast"],
            &["docs", "out"],
            &["test", "http"],
            &["dev", "--port", "many"],
            &["dev", "--port", "65536"],
            &["dev", "--example"],
            &["dev", "extra"],
        ] {
            assert!(parsed(args).is_err(), "{args:?} was taken");
        }
    }
}
