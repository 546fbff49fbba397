//! Texts out of JavaScript.

use js_sys::{JsString, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

/// From how many UTF-16 units on the platform's own encoder is the faster way: wasm-bindgen copies unit by unit for as long as a
/// text is ASCII.
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

/// The text that a value is. Half of a surrogate pair becomes U+FFFD, however long the text is.
pub(crate) fn text_of(value: &JsValue) -> Option<String> {
    match value.dyn_ref::<JsString>() {
        Some(text) if text.length() >= LONG => {
            let bytes = ENCODER.with(|encoder| encoder.encode(text));
            String::from_utf8(bytes.to_vec()).ok()
        }
        _ => value.as_string(),
    }
}
