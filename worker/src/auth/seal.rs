//! Sealed names: a caller sends them back but cannot read them. A listing that skips hidden streams continues from such a name.
//!
//! The platform encrypts the name (AES-256-GCM). The key is derived from the deployment's secret, for the caller's tenant and
//! globs only. All sealed names have the same length.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac};
use js_sys::{Array, Uint8Array};
use sha2::Sha256;
use sillok::ErrorCode;
use sillok::store::limits::STREAM_ID_BYTES;
use sillok_bridge::{Failure, object, random_bytes};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use worker::{Env, console_error};

use super::{Policy, Principal};

/// The purpose of the key. No other text is encrypted with this key.
const PURPOSE: &[u8] = b"sillok: where a listing goes on";
/// The platform's name of the algorithm, and the number of its fresh bytes for each name.
const ALGORITHM: &str = "AES-GCM";
const NONCE_BYTES: usize = 12;

#[wasm_bindgen(wasm_bindgen_futures = ::worker::wasm_bindgen_futures)]
extern "C" {
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    async fn import_key(
        format: &str,
        key: &Uint8Array,
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
    async fn encrypt(algorithm: &JsValue, key: &JsValue, data: &Uint8Array) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
    async fn decrypt(algorithm: &JsValue, key: &JsValue, data: &Uint8Array) -> Result<JsValue, JsValue>;
}

/// Seals names for one caller.
pub(crate) struct Seal {
    key: [u8; 32],
    /// The rights of the caller that may open the names.
    rights: String,
}

impl Seal {
    /// The seal for a caller that may see only some streams. Without a secret there is no such caller, and the result is
    /// `None`.
    pub(crate) fn of(env: &Env, principal: &Principal) -> Option<Self> {
        let Policy::Secret(secret) = Policy::of(env) else { return None };
        if principal.may_touch_all() {
            return None;
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
        mac.update(PURPOSE);
        Some(Self { key: mac.finalize().into_bytes().into(), rights: principal.rights() })
    }

    /// Seals the name.
    ///
    /// # Errors
    /// `internal` if the platform fails.
    pub(crate) async fn seal(&self, name: &str) -> Result<String, Failure> {
        let nonce: [u8; NONCE_BYTES] = random_bytes()?;
        // No name contains the character that fills the rest.
        let mut text = name.as_bytes().to_vec();
        text.resize(text.len().max(STREAM_ID_BYTES), 0);
        let encrypted =
            async { encrypt(&self.algorithm(&nonce), &self.key("encrypt").await?, &bytes(&text)).await };
        let encrypted = encrypted.await.map_err(|error| {
            console_error!("the `next` of a listing could not be sealed: {error:?}");
            Failure::new(ErrorCode::Internal, "the `next` of the listing could not be sealed")
        })?;
        let sealed = [nonce.to_vec(), Uint8Array::new(&encrypted).to_vec()].concat();
        Ok(Base64UrlUnpadded::encode_string(&sealed))
    }

    /// Opens a name that was sealed for a caller with the same rights.
    ///
    /// # Errors
    /// `invalid_parameter`, naming the field `next`.
    pub(crate) async fn open(&self, sealed: &str) -> Result<String, Failure> {
        let invalid = || {
            let detail = "`next` does not come from a listing of the streams that this token may read; list again without `next`";
            Failure::new(ErrorCode::InvalidParameter, detail).in_field("next")
        };
        let sealed = Base64UrlUnpadded::decode_vec(sealed).map_err(|_| invalid())?;
        let (nonce, encrypted) = sealed.split_at_checked(NONCE_BYTES).ok_or_else(invalid)?;
        let name =
            async { decrypt(&self.algorithm(nonce), &self.key("decrypt").await?, &bytes(encrypted)).await };
        let name = Uint8Array::new(&name.await.map_err(|_| invalid())?).to_vec();
        let name = String::from_utf8(name).map_err(|_| invalid())?;
        Ok(name.trim_end_matches('\0').to_owned())
    }

    async fn key(&self, usage: &str) -> Result<JsValue, JsValue> {
        import_key("raw", &bytes(&self.key), ALGORITHM, false, &Array::of1(&usage.into())).await
    }

    fn algorithm(&self, nonce: &[u8]) -> JsValue {
        object(&[
            ("name", ALGORITHM.into()),
            ("iv", bytes(nonce).into()),
            ("additionalData", bytes(self.rights.as_bytes()).into()),
        ])
    }
}

fn bytes(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}
