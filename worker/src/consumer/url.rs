//! URLs, read by the platform's own parser, which also reads the URL of every request.

/// The parts of a URL that name its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    /// `https:`
    pub(super) protocol: String,
    /// The host as the URL standard writes it: ASCII in lower case, with one form for each IP address.
    pub(super) hostname: String,
    /// Empty for the protocol's own port.
    pub(super) port: String,
    /// Whether the URL has a user name or a password.
    pub(super) has_user: bool,
    /// The URL without user name, password, query and fragment.
    pub(super) place: String,
}

impl Url {
    /// Reads a URL. `None` if the text is not a URL.
    pub(super) fn parse(text: &str) -> Option<Self> {
        platform::parts(text).map(|[protocol, hostname, port, username, password, path]| {
            let has_user = !username.is_empty() || !password.is_empty();
            let separator = if port.is_empty() { "" } else { ":" };
            let place = [&protocol, "//", &hostname, separator, &port, &path].concat();
            Self { protocol, hostname, port, has_user, place }
        })
    }

    /// The port, also if it is the protocol's own.
    pub(super) fn port_number(&self) -> &str {
        match (self.port.as_str(), self.protocol.as_str()) {
            ("", "https:") => "443",
            ("", _) => "80",
            (port, _) => port,
        }
    }
}

#[cfg(not(test))]
mod platform {
    use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_name = URL)]
        type Parsed;
        #[wasm_bindgen(constructor, catch, js_class = "URL")]
        fn new(text: &str) -> Result<Parsed, JsValue>;
        #[wasm_bindgen(method, getter)]
        fn protocol(this: &Parsed) -> String;
        #[wasm_bindgen(method, getter)]
        fn hostname(this: &Parsed) -> String;
        #[wasm_bindgen(method, getter)]
        fn port(this: &Parsed) -> String;
        #[wasm_bindgen(method, getter)]
        fn username(this: &Parsed) -> String;
        #[wasm_bindgen(method, getter)]
        fn password(this: &Parsed) -> String;
        #[wasm_bindgen(method, getter)]
        fn pathname(this: &Parsed) -> String;
    }

    pub(super) fn parts(text: &str) -> Option<[String; 6]> {
        let url = Parsed::new(text).ok()?;
        Some([url.protocol(), url.hostname(), url.port(), url.username(), url.password(), url.pathname()])
    }
}

/// Native tests have no platform. They use another parser of the same standard.
#[cfg(test)]
mod platform {
    use url::{Url, quirks};

    pub(super) fn parts(text: &str) -> Option<[String; 6]> {
        let url = Url::parse(text).ok()?;
        let parts = [
            quirks::protocol(&url),
            quirks::hostname(&url),
            quirks::port(&url),
            quirks::username(&url),
            quirks::password(&url),
            quirks::pathname(&url),
        ];
        Some(parts.map(str::to_owned))
    }
}
