//! The documents of a projection, for its handler in JavaScript.

use sillok::ErrorCode;
use sillok::handler::Documents;
use sillok::store::JsonText;
use sillok::store::sqlite::Sql;

use crate::failure::Failure;

/// Defines a crate's `DocumentsHandle`: the documents of a projection while it applies one event. Documents are JSON text.
///
/// JavaScript cannot call a generic type. So each adapter has a type of its own over its [`Documents`]. `$thrown` converts a
/// [`Failure`] to the value that JavaScript throws.
#[macro_export]
macro_rules! documents_handle {
    ($documents:ty, $thrown:expr) => {
        /// The documents of a projection while it applies one event. Documents are JSON text.
        #[::wasm_bindgen::prelude::wasm_bindgen]
        #[derive(Debug)]
        pub struct DocumentsHandle {
            documents: $documents,
        }

        #[::wasm_bindgen::prelude::wasm_bindgen]
        impl DocumentsHandle {
            /// Returns the document under this key, or undefined.
            ///
            /// # Errors
            /// A failure.
            pub fn get(&self, key: &str) -> Result<Option<String>, $crate::JsValue> {
                $crate::get_document(&self.documents, key).map_err($thrown)
            }

            /// Stores a document under this key. It replaces an earlier one.
            ///
            /// # Errors
            /// A failure.
            pub fn put(&self, key: &str, document: &str) -> Result<(), $crate::JsValue> {
                $crate::put_document(&self.documents, key, document).map_err($thrown)
            }

            /// Deletes the document under this key, if there is one.
            ///
            /// # Errors
            /// A failure.
            pub fn delete(&self, key: &str) -> Result<(), $crate::JsValue> {
                self.documents.delete(key).map_err($crate::Failure::from).map_err($thrown)
            }
        }
    };
}

/// Returns the document under this key as JSON, if there is one.
///
/// # Errors
/// The errors of [`Documents::get`].
pub fn get_document<S: Sql>(documents: &Documents<S>, key: &str) -> Result<Option<String>, Failure> {
    Ok(documents.get(key)?.map(|document| document.as_str().to_owned()))
}

/// Stores a document, given as JSON, under this key.
///
/// # Errors
/// `malformed_json`, or the errors of [`Documents::put`].
pub fn put_document<S: Sql>(documents: &Documents<S>, key: &str, document: &str) -> Result<(), Failure> {
    let document = JsonText::parse(document)
        .map_err(|error| Failure::new(ErrorCode::MalformedJson, error.to_string()))?;
    Ok(documents.put(key, &document)?)
}
