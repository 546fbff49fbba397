//! The examples that `dev` runs: the folders of examples/ whose Worker has Sillok's objects.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::run;
use crate::shell::Shell;

/// The address in the README of an example.
const SHOWN_ADDRESS: &str = "127.0.0.1:8787";

/// An example.
pub(crate) struct Example {
    /// Its name, which is also its folder in examples/.
    pub(crate) name: String,
    /// Its requests to try, from its README.
    requests: Vec<String>,
}

impl Example {
    /// Finds an example by its name.
    pub(crate) fn named(shell: &Shell, name: &str) -> Result<Self> {
        let names = names(&shell.at("examples"))?;
        if !names.iter().any(|known| known == name) {
            bail!("there is no example `{name}`; the examples are {}", names.join(", "));
        }
        let readme = shell.at(format!("examples/{name}/README.md"));
        let readme =
            fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
        Ok(Self { name: name.to_owned(), requests: requests(&readme) })
    }

    /// The options of `wrangler dev` that select the example. A local Worker needs no secret.
    pub(crate) fn options(&self) -> Vec<String> {
        let config = format!("examples/{}/wrangler.toml", self.name);
        vec!["--config".to_owned(), config, "--var".to_owned(), "SILLOK_AUTH:off".to_owned()]
    }

    /// Makes the tables of the example's D1 database in the folder of the data, if it has a database.
    pub(crate) fn migrate(&self, shell: &Shell, data: &Path) -> Result<()> {
        let folder = format!("examples/{}", self.name);
        if !shell.at(format!("{folder}/migrations")).exists() {
            return Ok(());
        }
        let config = format!("{folder}/wrangler.toml");
        run::quiet(
            shell
                .command("wrangler")
                .args(["d1", "migrations", "apply", "DB", "--local", "--config", &config])
                .arg("--persist-to")
                .arg(data)
                // Without a terminal, wrangler does not ask for confirmation.
                .stdin(Stdio::null())
                .env("CI", "true"),
        )
    }

    /// The text for the user, once the example runs.
    pub(crate) fn greeting(&self, address: SocketAddr) -> String {
        let Self { name, requests } = self;
        let requests: String = requests
            .iter()
            .map(|request| format!("  {}\n", request.replace(SHOWN_ADDRESS, &address.to_string())))
            .collect();
        format!(
            "The example {name} is running at http://{address}/\n\nTry it, or read examples/{name}/README.md:\n\n{requests}"
        )
    }
}

/// The names of the examples, in order.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        // A Worker without these objects, such as one beside a deployed Sillok, is no example to run alone.
        let has_objects = fs::read_to_string(path.join("wrangler.toml"))
            .is_ok_and(|config| config.contains("class_name = \"Aggregate\""));
        if let (true, Some(name)) = (has_objects, path.file_name()) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The requests of a README: the lines that call curl.
fn requests(readme: &str) -> Vec<String> {
    readme.lines().filter(|line| line.starts_with("curl ")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_the_objects_of_sillok() -> Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let names = names(&folder)?;
        assert!(names.contains(&"bank".to_owned()), "{names:?}");
        assert!(!names.contains(&"d1-read-model".to_owned()), "{names:?}");
        Ok(())
    }

    #[test]
    fn an_unknown_name_lists_the_examples() -> Result<()> {
        let error = Example::named(&Shell::new()?, "bonk").err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(error.starts_with("there is no example `bonk`; the examples are bank, "), "{error}");
        Ok(())
    }

    #[test]
    fn the_greeting_has_the_requests_of_the_readme() {
        let readme = "# Bank\n\n```sh\ncurl http://127.0.0.1:8787/v1/aggregates\n```\n";
        let example = Example { name: "bank".to_owned(), requests: requests(readme) };
        let text = example.greeting(SocketAddr::from(([127, 0, 0, 1], 9000)));
        assert!(text.contains("  curl http://127.0.0.1:9000/v1/aggregates\n"), "{text}");
    }
}
