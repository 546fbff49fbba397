//! The keys of documents.

use crate::store::limits::DOCUMENT_KEY_BYTES;
use crate::store::names::name::name_type;

name_type! {
    /// The key under which a projection stores a document.
    ///
    /// 1 to 200 bytes of UTF-8 without control characters. Cheap to clone.
    ///
    /// ```
    /// use sillok::handler::DocumentKey;
    ///
    /// assert_eq!(DocumentKey::new("account-42")?.as_str(), "account-42");
    /// assert!(DocumentKey::new("").is_err());
    /// # Ok::<(), sillok::handler::InvalidDocumentKey>(())
    /// ```
    DocumentKey, DOCUMENT_KEY_BYTES;
    /// The reason why a text is not a valid key of a document.
    InvalidDocumentKey, InvalidDocumentKey, "document's key"
}
