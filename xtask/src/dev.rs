//! `dev`: runs the Worker or an example on this machine until Ctrl-C, in workerd through `wrangler dev`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::build;
use crate::examples::Example;
use crate::run;
use crate::secret::{Guarded, Secret};
use crate::shell::Shell;

/// The longest time until the first answer of the Worker.
const START_LIMIT: Duration = Duration::from_secs(120);

/// Ends a process group when its standard input closes. After five seconds it ends the group by force. It is a process of its
/// own, so it also works if xtask is killed by a signal that cannot be caught.
const GUARD: &str = r#"
read -r _
kill -s TERM -- "-$1" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -s 0 -- "-$1" 2>/dev/null || exit 0
    sleep 0.5
done
kill -s KILL -- "-$1" 2>/dev/null
"#;

/// The options of the command line.
pub(crate) struct Options {
    /// The example to run. The default is the plain Worker.
    pub(crate) example: Option<String>,
    pub(crate) port: u16,
    /// The folder of the data. The default is a folder in `.wrangler/state`.
    pub(crate) persist: Option<PathBuf>,
    /// The secret of the Worker. Without one, the Worker needs no token.
    pub(crate) secret: Option<Secret>,
}

impl Default for Options {
    fn default() -> Self {
        Self { example: None, port: 8787, persist: None, secret: None }
    }
}

/// Runs the command.
pub(crate) fn run(mut shell: Shell, options: &Options) -> Result<()> {
    let example = options.example.as_deref().map(|name| Example::named(&shell, name)).transpose()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    check_free(address)?;
    let data = match &options.persist {
        // The path is relative to the user's working directory.
        Some(dir) => std::path::absolute(dir)?,
        None => match &example {
            Some(example) => shell.at(".wrangler/state/examples").join(&example.name),
            None => shell.at(".wrangler/state"),
        },
    };
    build::prepare(&mut shell)?;
    match &example {
        Some(example) => build::for_example(&shell, &example.name)?,
        None => build::all(&shell)?,
    }

    let guarded = options.secret.as_ref().map(|secret| secret.guard(&shell)).transpose()?;
    let (sender, interrupted) = channel();
    ctrlc::set_handler(move || {
        // If the run has already ended, nobody listens.
        let _ = sender.send(());
    })?;
    if let Some(example) = &example {
        example.migrate(&shell, &data)?;
    }
    run::say("==> starting workerd");
    let mut server = Server::start(&shell, example.as_ref(), guarded.as_ref(), address, &data)?;
    if server.wait_until_healthy(address, &interrupted)? {
        let text = match &example {
            Some(example) => example.greeting(address),
            None => greeting(address),
        };
        let text = guarded.as_ref().map_or(text.clone(), |guarded| guarded.greeting(&text));
        greet(&text, &data)?;
        server.wait(&interrupted)?;
    }
    drop(server);
    run::say("stopped");
    Ok(())
}

fn check_free(address: SocketAddr) -> Result<()> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!(
                "another program uses port {}; stop it, or choose another port: cargo xtask dev --port N",
                address.port()
            )
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {address}")),
    }
}

/// wrangler and its children. They are a process group that ends with xtask.
struct Server {
    wrangler: Child,
    guard: Child,
}

impl Server {
    fn start(
        shell: &Shell,
        example: Option<&Example>,
        guarded: Option<&Guarded>,
        address: SocketAddr,
        data: &Path,
    ) -> Result<Self> {
        let variables = guarded.map(|Guarded { file, .. }| [Path::new("--env-file"), file]);
        let mut wrangler = shell
            .command("wrangler")
            .arg("dev")
            .args(example.map(Example::options).unwrap_or_default())
            .args(["--ip", &address.ip().to_string(), "--port", &address.port().to_string()])
            // A free port, because the default port may belong to another program.
            .args(["--inspector-port", "0"])
            .args(["--local", "--show-interactive-dev-session=false"])
            .args(variables.into_iter().flatten())
            .arg("--persist-to")
            .arg(data)
            .stdout(io::stderr())
            // The group is wrangler's own. So Ctrl-C reaches only xtask, which then ends the whole group in order.
            .process_group(0)
            .spawn()
            .context("cannot run wrangler")?;
        let guard = shell
            .command("sh")
            .args(["-c", GUARD, "guard", &wrangler.id().to_string()])
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn();
        match guard {
            Ok(guard) => Ok(Self { wrangler, guard }),
            Err(error) => {
                wrangler.kill()?;
                Err(error).context("cannot run sh")
            }
        }
    }

    /// Waits until the health check answers. Returns `false` if the user ended the run before.
    fn wait_until_healthy(&mut self, address: SocketAddr, interrupted: &Receiver<()>) -> Result<bool> {
        let start = Instant::now();
        while !healthy(address) {
            if start.elapsed() > START_LIMIT {
                bail!("the Worker did not answer within {} s", START_LIMIT.as_secs());
            }
            if self.pause(interrupted)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits until the user ends the run.
    fn wait(&mut self, interrupted: &Receiver<()>) -> Result<()> {
        while !self.pause(interrupted)? {}
        Ok(())
    }

    /// Waits a moment. Returns `true` if the user ended the run in this moment.
    fn pause(&mut self, interrupted: &Receiver<()>) -> Result<bool> {
        if let Some(status) = self.wrangler.try_wait()? {
            bail!("wrangler stopped unexpectedly: {status}");
        }
        let waited = interrupted.recv_timeout(Duration::from_millis(100));
        Ok(waited != Err(RecvTimeoutError::Timeout))
    }
}

impl Drop for Server {
    /// Ends wrangler and all its children, and waits until they have ended.
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Both end now, so an error here needs no handling.
        let _ = self.wrangler.wait();
        let _ = self.guard.wait();
    }
}

/// Whether `GET /v1/health` has the status 200.
fn healthy(address: SocketAddr) -> bool {
    let ask = || -> io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /v1/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(start == *b"HTTP/1.1 200")
    };
    // The Worker does not listen or answer yet. The caller asks again.
    ask().unwrap_or(false)
}

fn greeting(address: SocketAddr) -> String {
    let events = format!("http://{address}/v1/streams/account-42/events");
    format!(
        r#"Sillok is running. Open http://{address}/

Append an event, then read it back:

  curl {events} -H 'Content-Type: application/json' -d '{{"type":"Deposited","data":{{"amount":100}}}}'

  curl {events}
"#
    )
}

fn greet(text: &str, data: &Path) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "\n{text}\nThe data is in {}\nCtrl-C stops it.", data.display())?;
    stdout.flush()
}
