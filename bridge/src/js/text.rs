//! Copies of texts from JavaScript.

use js_sys::{JsString, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

/// The length in UTF-16 units from which the platform's encoder is faster. wasm-bindgen copies a text unit by unit while it is
/// ASCII.
const LONG: u32 = 1024;

#[wasm_bindgen]
extern "C" {
    type TextEncoder;
    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;
    #[wasm_bindgen(method)]
    fn encode(this: &TextEncoder, text: &JsString) -> Uint8Array;
}

thread_local! {
    static ENCODER: TextEncoder = TextEncoder::new();
}

/// Copies the text, if the value is one. Half of a surrogate pair becomes U+FFFD, in short and in long texts.
pub(crate) fn text_of(value: &JsValue) -> Option<String> {
    match value.dyn_ref::<JsString>() {
        Some(text) if text.length() >= LONG => {
            let bytes = ENCODER.with(|encoder| encoder.encode(text));
            String::from_utf8(bytes.to_vec()).ok()
        }
        _ => value.as_string(),
    }
}
