//! The documents of a projection: as its handler changes them, and as others read them.

use sillok::handler::{DocumentError, Documents};
use sillok::store::JsonText;
use sillok_bridge::Failure;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::database::FileSql;
use crate::thrown::thrown;

/// The documents of a projection while one event is applied. JSON goes in and out.
#[wasm_bindgen]
#[derive(Debug)]
pub struct DocumentsHandle {
    documents: Documents<FileSql>,
}

#[wasm_bindgen]
impl DocumentsHandle {
    /// The document of this key, or undefined.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn get(&self, key: &str) -> Result<Option<String>, JsValue> {
        let document = self.documents.get(key).map_err(refused)?;
        Ok(document.map(|document| document.as_str().to_owned()))
    }

    /// Keeps a document.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn put(&self, key: &str, document: &str) -> Result<(), JsValue> {
        let document = JsonText::parse(document)
            .map_err(|error| thrown(Failure::new("malformed_json", error.to_string())))?;
        self.documents.put(key, &document).map_err(refused)
    }

    /// Removes a document.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn delete(&self, key: &str) -> Result<(), JsValue> {
        self.documents.delete(key).map_err(refused)
    }
}

impl DocumentsHandle {
    pub(crate) fn new(documents: Documents<FileSql>) -> Self {
        Self { documents }
    }
}

fn refused(error: DocumentError) -> JsValue {
    thrown(Failure::from(error))
}
