//! Version numbers: reads them from Cargo.lock and compares them.

/// The locked version of a package in the text of a Cargo.lock. If there are several, it is the newest.
pub(crate) fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    lock.split("[[package]]")
        .filter(|entry| field(entry, "name") == Some(package))
        .filter_map(|entry| field(entry, "version"))
        .max_by_key(|version| numbers(version))
}

fn field<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    entry.lines().find_map(|line| {
        let value = line.strip_prefix(name)?.strip_prefix(" = \"")?;
        value.strip_suffix('"')
    })
}

/// Reads `v24.21.0` as numbers. `None` for any other text. A suffix for a pre-release is ignored.
pub(crate) fn numbers(version: &str) -> Option<[u64; 3]> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let mut parts = version.split(['-', '+']).next()?.split('.');
    let mut number = || parts.next()?.parse().ok();
    Some([number()?, number()?, number()?])
}

/// Whether this Node strips types without a flag, and so runs TypeScript. Every such version also satisfies wrangler (22.12).
pub(crate) fn node_strips_types(version: &str) -> bool {
    match numbers(version) {
        Some([22, minor, _]) => minor >= 18,
        Some([23, minor, _]) => minor >= 6,
        Some([major, _, _]) => major >= 24,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "wasm-bindgen"
version = "0.2.9"
source = "registry"
dependencies = [
 "worker",
]

[[package]]
name = "wasm-bindgen"
version = "0.2.130"

[[package]]
name = "wasm-bindgen-macro"
version = "0.3.0"

[[package]]
name = "worker"
version = "0.8.7"
"#;

    #[test]
    fn the_locked_version_is_found() {
        assert_eq!(locked(LOCK, "worker"), Some("0.8.7"));
        assert_eq!(locked(LOCK, "wasm-bindgen-macro"), Some("0.3.0"));
        assert_eq!(locked(LOCK, "absent"), None);
    }

    #[test]
    fn the_newest_of_several_counts_as_numbers() {
        assert_eq!(locked(LOCK, "wasm-bindgen"), Some("0.2.130"));
    }

    #[test]
    fn versions_are_numbers() {
        assert_eq!(numbers("v24.21.0"), Some([24, 21, 0]));
        assert_eq!(numbers("24.0.0-rc.1"), Some([24, 0, 0]));
        assert_eq!(numbers("24.1"), None);
        assert_eq!(numbers("latest"), None);
    }

    #[test]
    fn node_needs_type_stripping() {
        for old in ["v20.20.2", "v22.17.1", "v23.5.0", "v9.0.0", ""] {
            assert!(!node_strips_types(old), "{old}");
        }
        for new in ["v22.18.0", "v23.6.0", "v24.0.0", "v100.0.0"] {
            assert!(node_strips_types(new), "{new}");
        }
    }
}
