//! Where a webhook may send events to.

use percent_encoding::percent_decode_str;

/// To these hosts a webhook may be sent without encryption.
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// Longest URL, in bytes.
const URL_BYTES: usize = 2048;

/// Checks that a webhook's events may be sent to this URL: over `https`, or to this machine.
pub(super) fn check_url(url: &str) -> Result<(), &'static str> {
    if url.len() > URL_BYTES || url.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\') {
        return Err("a URL has at most 2,048 bytes and neither spaces nor backslashes");
    }
    let lower = url.to_ascii_lowercase();
    let (secure, rest) = match (lower.strip_prefix("https://"), lower.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err("must begin with https://"),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must not hold a user name or a password");
    }
    let (host, port) = parts_of(authority);
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = is_number && port.parse::<u16>().is_ok_and(|port| port > 0);
    if !is_port && !port.is_empty() {
        return Err("must have a port from 1 to 65535");
    }
    let plain = percent_decode_str(host).decode_utf8().is_ok_and(|decoded| decoded == host);
    if host.is_empty() || !plain {
        return Err("must name a host");
    }
    if secure || THIS_MACHINE.contains(&host) { Ok(()) } else { Err("must begin with https://") }
}

/// The host and the port of an authority.
fn parts_of(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some(parts) if !authority.ends_with(']') => parts,
        _ => (authority, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::check_url;

    #[test]
    fn urls() {
        for url in [
            "https://example.com",
            "HTTPS://example.com:8443/hook?a=b#c",
            "http://localhost:3000/hook",
            "http://127.0.0.1/",
            "http://[::1]:80/",
            "http://[::1]/",
            "https://example.com:65535/",
            "https://example.com:/",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "example.com",
            "ftp://example.com",
            "http://example.com",
            "http://localhost.example.com/",
            "http://localhost@example.com/",
            "http://localhost%2eexample.com/",
            "https://user:password@example.com/",
            "https://",
            "https:///path",
            "https://:443/",
            "https://example.com:0/",
            "https://example.com:65536/",
            "https://example.com:99999999999/",
            "http://localhost:99999/",
            "http://[::1]:0/",
            "https://example.com:+80/",
            "https://example.com:http/",
            "https://exa mple.com/",
            "http://localhost\\@example.com/",
        ] {
            assert!(check_url(url).is_err(), "{url}");
        }
    }
}
