//! The secret of a local Worker (`dev --secret`), and a token for it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};

use crate::shell::Shell;

/// The least length of a secret, in bytes. The Worker refuses a shorter one.
const LEAST_BYTES: usize = 32;
/// The file with the secret. wrangler reads it, so that the secret is not in the list of processes.
const FILE: &str = "target/dev/secret.env";

/// Prints the secret and a token for a day. It uses the package, as a user does.
const MINT: &str = r#"
import { randomBytes } from "node:crypto";
import { mintToken } from "./js/dist/client.js";
const secret = process.env.GIVEN_SECRET ?? randomBytes(32).toString("base64url");
const scopes = ["read", "append", "execute", "admin"];
console.log(secret);
console.log(await mintToken({ secret, scopes, expiresIn: 24 * 60 * 60 }));
"#;

/// The secret of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Secret {
    /// A new one for each start.
    Fresh,
    Given(String),
}

impl FromStr for Secret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Fresh);
        }
        if text.len() < LEAST_BYTES {
            return Err(format!("a secret has {LEAST_BYTES} bytes or more, or is `auto`"));
        }
        if text.contains(|character: char| character == '\'' || character.is_control()) {
            return Err("the secret must have no `'` and no control character".to_owned());
        }
        Ok(Self::Given(text.to_owned()))
    }
}

/// What a start with a secret needs.
pub(crate) struct Guarded {
    /// The file of variables with the secret. Only this user can read it.
    pub(crate) file: PathBuf,
    /// A token with all scopes, for a day.
    pub(crate) token: String,
}

impl Secret {
    /// Writes the file, and makes the token. The npm package must be built.
    pub(crate) fn guard(&self, shell: &Shell) -> Result<Guarded> {
        let mut mint = shell.command("node");
        mint.args(["--input-type=module", "--eval", MINT]).env_remove("GIVEN_SECRET");
        if let Self::Given(secret) = self {
            mint.env("GIVEN_SECRET", secret);
        }
        let output = mint.output().context("cannot run node")?;
        ensure!(output.status.success(), "no token was made: {}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout)?;
        let (secret, token) = printed.trim().split_once('\n').context("no token was made")?;
        let file = shell.at(FILE);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        // A file of another start has its own rights.
        if file.exists() {
            fs::remove_file(&file)?;
        }
        let mut opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
        writeln!(opened, "SILLOK_SECRET='{secret}'")?;
        Ok(Guarded { file, token: token.to_owned() })
    }
}

impl Guarded {
    /// The text with the token in its requests.
    pub(crate) fn greeting(&self, text: &str) -> String {
        let requests = text.replace("  curl ", r#"  curl -H "Authorization: Bearer $TOKEN" "#);
        format!("This token has all scopes, for a day:\n\n  TOKEN={}\n\n{requests}", self.token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_and_in_one_line() {
        assert_eq!("auto".parse(), Ok(Secret::Fresh));
        let long = "s".repeat(LEAST_BYTES);
        assert_eq!(long.parse(), Ok(Secret::Given(long.clone())));
        for wrong in [&long[1..], &format!("{long}'"), &format!("{long}\n")] {
            assert!(wrong.parse::<Secret>().is_err(), "{wrong:?}");
        }
    }
}
