//! The documents of a projection as its handler in JavaScript has them.

use sillok::ErrorCode;
use sillok::handler::Documents;
use sillok::store::JsonText;
use sillok::store::sqlite::Sql;

use crate::failure::Failure;

/// Makes a crate's `DocumentsHandle`: the documents of a projection while one event is applied, JSON going in and out. What
/// JavaScript knows cannot be generic, so each adapter has a type of its own over the [`Documents`] that it keeps; the
/// function makes of a [`Failure`] what JavaScript is to throw.
#[macro_export]
macro_rules! documents_handle {
    ($documents:ty, $thrown:expr) => {
        /// The documents of a projection while one event is applied. JSON goes in and out.
        #[::wasm_bindgen::prelude::wasm_bindgen]
        #[derive(Debug)]
        pub struct DocumentsHandle {
            documents: $documents,
        }

        #[::wasm_bindgen::prelude::wasm_bindgen]
        impl DocumentsHandle {
            /// The document of this key, or undefined.
            ///
            /// # Errors
            /// A failure.
            pub fn get(&self, key: &str) -> Result<Option<String>, $crate::JsValue> {
                $crate::get_document(&self.documents, key).map_err($thrown)
            }

            /// Keeps a document under this key, in place of any other.
            ///
            /// # Errors
            /// A failure.
            pub fn put(&self, key: &str, document: &str) -> Result<(), $crate::JsValue> {
                $crate::put_document(&self.documents, key, document).map_err($thrown)
            }

            /// Removes the document of this key, if there is one.
            ///
            /// # Errors
            /// A failure.
            pub fn delete(&self, key: &str) -> Result<(), $crate::JsValue> {
                self.documents.delete(key).map_err($crate::Failure::from).map_err($thrown)
            }
        }
    };
}

/// The document of this key as JSON, if there is one.
///
/// # Errors
/// As [`Documents::get`] has them.
pub fn get_document<S: Sql>(documents: &Documents<S>, key: &str) -> Result<Option<String>, Failure> {
    Ok(documents.get(key)?.map(|document| document.as_str().to_owned()))
}

/// Keeps a document, given as JSON, under this key.
///
/// # Errors
/// `malformed_json`, or as [`Documents::put`] has them.
pub fn put_document<S: Sql>(documents: &Documents<S>, key: &str, document: &str) -> Result<(), Failure> {
    let document = JsonText::parse(document)
        .map_err(|error| Failure::new(ErrorCode::MalformedJson, error.to_string()))?;
    Ok(documents.put(key, &document)?)
}
