//! The addresses to which a webhook may send events.

use std::net::Ipv4Addr;

use worker::Env;

use super::url::Url;
use crate::auth::{self, Policy};

/// The spellings of this machine for a receiver. No other spelling is needed, so no other is allowed.
const RECEIVERS_HERE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// The names of private networks, and all names below them: RFC 6761, RFC 6762 with its appendix G, RFC 8375, and the names
/// that ICANN has reserved.
const PRIVATE: [&str; 10] = [
    "corp",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "private",
];
/// The longest URL, in bytes.
const URL_BYTES: usize = 2048;

/// The deployment's own addresses, and whether its webhooks may send to this machine.
#[derive(Debug, Default)]
pub(crate) struct Deployment {
    /// Whether authentication is off. Then the deployment is a developer's own.
    open: bool,
    /// The URLs of the deployment.
    own: Vec<Url>,
}

impl Deployment {
    /// The deployment of this environment. `asked_at` is the URL of the request, or empty.
    pub(super) fn of(env: &Env, asked_at: &str) -> Self {
        let own = auth::hosts(env).into_iter().map(|host| format!("https://{host}/"));
        let own = own.chain([asked_at.to_owned()]).filter_map(|url| Url::parse(&url)).collect();
        Self { open: matches!(Policy::of(env), Policy::Off { .. }), own }
    }

    /// Checks that a webhook may send events to this URL. It may send over `https` to a host on the internet that is not the
    /// deployment itself. If authentication is off, it may also send to this machine.
    pub(super) fn check_url(&self, text: &str) -> Result<(), &'static str> {
        if text.len() > URL_BYTES || text.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\') {
            return Err("must have at most 2,048 bytes, and no spaces or backslashes");
        }
        // The runtime parses the URL in the same way when it sends an event. So no other spelling of a host passes the check.
        let url = Url::parse(text).ok_or("must be a URL, with a host and a port from 1 to 65535")?;
        let begins = [url.protocol.as_str(), "//"].concat();
        let is_whole = text.get(..begins.len()).is_some_and(|start| start.eq_ignore_ascii_case(&begins));
        if !["https:", "http:"].contains(&url.protocol.as_str()) || !is_whole {
            return Err("must begin with https://");
        }
        if url.has_user {
            return Err("must not contain a user name or a password");
        }
        if url.port == "0" {
            return Err("must have a port from 1 to 65535");
        }
        if self.own.iter().any(|own| is_same(own, &url)) {
            return Err("must not lead to this deployment itself");
        }
        if is_local(&url) && self.open {
            return Ok(());
        }
        check_host(name_of(&url))?;
        if url.protocol == "https:" { Ok(()) } else { Err("must begin with https://") }
    }
}

/// Refuses a host whose name is not on the internet.
fn check_host(host: &str) -> Result<(), &'static str> {
    if host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() {
        return Err("must name its host; an IP address is refused");
    }
    let below =
        |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    // A name without a dot exists only in a private network.
    if !host.contains('.') || host.split('.').any(str::is_empty) || PRIVATE.into_iter().any(below) {
        return Err("must name a host on the internet, not one of a private network");
    }
    Ok(())
}

/// The host without its last dot: `example.com.` is `example.com`.
fn name_of(url: &Url) -> &str {
    url.hostname.trim_end_matches('.')
}

fn is_local(url: &Url) -> bool {
    RECEIVERS_HERE.contains(&name_of(url))
}

/// Whether both URLs lead to the same host. On this machine, other programs listen on other ports.
fn is_same(own: &Url, url: &Url) -> bool {
    match (is_local(own), is_local(url)) {
        (true, true) => own.port_number() == url.port_number(),
        _ => name_of(own) == name_of(url),
    }
}

/// A webhook's URL for callers that may not change it: without the parts that may contain a secret.
pub(super) fn without_secrets(text: &str) -> String {
    Url::parse(text).map(|url| url.place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(open: bool, own: &[&str]) -> Deployment {
        Deployment { open, own: own.iter().map(|url| Url::parse(url).unwrap()).collect() }
    }

    fn assert_refused(deployment: &Deployment, urls: &[&str]) {
        for url in urls {
            assert!(deployment.check_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn hosts_on_the_internet() {
        for deployment in [deployment(false, &[]), deployment(true, &[])] {
            for url in [
                "https://example.com",
                "HTTPS://example.com:8443/hook?a=b#c",
                "https://example.com:65535/",
                "https://example.com:/",
                "https://example.com./",
                "https://internal.example.com/",
                "https://mylocal.dev/",
                "https://xn--bcher-kva.example/",
                "https://b\u{fc}cher.example/",
            ] {
                assert_eq!(deployment.check_url(url), Ok(()), "{url}");
            }
        }
    }

    #[test]
    fn invalid_urls_are_refused() {
        let urls = [
            "",
            "example.com",
            "ftp://example.com",
            "https:example.com",
            "https:/example.com",
            "http://example.com",
            "http://localhost.example.com/",
            "http://localhost@example.com/",
            "http://localhost%2eexample.com/",
            "https://user:password@example.com/",
            "https://user@example.com/",
            "https://:password@example.com/",
            "https://",
            "https:///path",
            "https://:443/",
            "https://example.com:0/",
            "https://example.com:65536/",
            "https://example.com:99999999999/",
            "https://example.com:+80/",
            "https://example.com:http/",
            "https://exa mple.com/",
            "https://exa\tmple.com/",
            "http://localhost\\@example.com/",
            "https://example..com/",
            "https://.example.com/",
            "https://exa%00mple.com/",
        ];
        assert_refused(&deployment(false, &[]), &urls);
        assert_refused(&deployment(true, &[]), &urls);
        assert_refused(&deployment(true, &[]), &["http://localhost:99999/", "http://[::1]:0/"]);
        assert_refused(&deployment(false, &[]), &[&format!("https://example.com/{}", "a".repeat(2048))]);
    }

    /// Tests every spelling that the URL standard knows.
    #[test]
    fn an_address_in_place_of_a_name() {
        let urls = [
            "https://203.0.113.7/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://192.168.0.1./",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://0/",
            "https://%31%32%37.0.0.1/",
            "https://\u{ff11}\u{ff12}\u{ff17}\u{3002}0\u{3002}0\u{3002}1/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[2001:db8::1]/",
        ];
        assert_refused(&deployment(false, &[]), &urls);
        assert_refused(&deployment(false, &[]), &["https://127.0.0.1/", "https://[::1]/", "http://[::1]/"]);
    }

    #[test]
    fn a_host_of_a_private_network() {
        let names = ["intranet", "printer", "a.local", "a.b.LOCAL", "metadata.google.internal", "internal"];
        let more = ["router.home.arpa", "nas.lan", "a.corp", "a.home", "a.private", "a.localdomain", "com"];
        let odd = ["a.local.", "a.internal..", "a.\u{24db}ocal", "lo%63al.loca%6c", "app.localhost"];
        for host in names.into_iter().chain(more).chain(odd) {
            let url = format!("https://{host}/");
            assert_refused(&deployment(false, &[]), &[&url]);
            assert_refused(&deployment(true, &[]), &[&url]);
        }
        assert_refused(&deployment(false, &[]), &["https://\u{ff4c}ocalhost/", "https://localhost./"]);
    }

    #[test]
    fn this_machine_where_authentication_is_off() {
        let here =
            ["http://localhost:3000/hook", "http://127.0.0.1/", "http://[::1]:80/", "https://LOCALHOST./"];
        for url in here {
            assert_eq!(deployment(true, &[]).check_url(url), Ok(()), "{url}");
        }
        assert_refused(&deployment(false, &[]), &here);
        assert_refused(
            &deployment(true, &[]),
            &["http://127.0.0.2/", "http://app.localhost/", "http://0.0.0.0/"],
        );
        let same = [
            "http://localhost:8787/",
            "http://127.0.0.1:8787/v1",
            "https://[::1]:8787/",
            "http://localhost.:8787",
        ];
        assert_refused(&deployment(true, &["http://127.0.0.1:8787/v1/consumers/a"]), &same);
    }

    #[test]
    fn the_deployment_itself() {
        let own = deployment(
            false,
            &["https://sillok.example.com/v1/consumers/a", "https://events.example.com:443/"],
        );
        assert_refused(
            &own,
            &[
                "https://sillok.example.com/v1/streams/a/events",
                "https://SILLOK.example.com./",
                "https://sillok.example.com:8443/",
                "https://sillok%2eexample.com/",
                "https://events.example.com/",
            ],
        );
        assert_eq!(own.check_url("https://example.com/"), Ok(()));
    }

    #[test]
    fn a_shown_url_has_no_secrets() {
        for (url, shown) in [
            ("https://example.com/hook?token=a#b", "https://example.com/hook"),
            ("https://user:password@example.com:8443/", "https://example.com:8443/"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/"),
            ("no URL", ""),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
