//! Verification of a store's stream, page by page, and of exported lines.

use sillok::store::Verifier;
use sillok_bridge::{LineVerifier, Message, VerificationJson, stream_id_from_js};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::thrown::thrown;

/// The state of a stream's verification. [`Store::verify_page`](crate::Store::verify_page) continues it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct StreamProof {
    pub(crate) verifier: Verifier,
}

#[wasm_bindgen]
impl StreamProof {
    /// Begins before the first commit of a stream.
    ///
    /// # Errors
    /// A [`Failure`](sillok_bridge::Failure).
    #[wasm_bindgen(constructor)]
    pub fn new(stream: &JsValue) -> Result<Self, JsValue> {
        match stream_id_from_js(stream) {
            Ok(stream) => Ok(Self { verifier: Verifier::new(stream) }),
            Err(failure) => Err(thrown(failure)),
        }
    }

    /// The result up to this page.
    #[must_use]
    pub fn found(&self) -> JsValue {
        VerificationJson::from(self.verifier.found()).to_js()
    }
}

/// A verification of exported lines.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct LineProof(LineVerifier);

#[wasm_bindgen]
impl LineProof {
    /// Begins before the first line.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next line, and returns whether the chain is intact up to there.
    pub fn add(&mut self, line: &str) -> bool {
        self.0.add(line)
    }

    /// The result up to this line.
    #[must_use]
    pub fn found(&self) -> JsValue {
        VerificationJson::from(self.0.found()).to_js()
    }
}
