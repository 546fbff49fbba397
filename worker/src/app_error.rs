//! Why a Worker cannot be composed.

use sillok::store::InvalidCategory;
use sillok_bridge::Failure;
use thiserror::Error;
use wasm_bindgen::JsValue;

/// The reason why a Worker cannot be composed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AppError {
    /// Two consumers have the same name.
    #[error("two consumers have the name {name:?}")]
    SameName {
        /// Their name.
        name: String,
    },
    /// Two aggregates have the same category.
    #[error("two aggregates have the category {category:?}")]
    SameCategory {
        /// Their category.
        category: &'static str,
    },
    /// The category of an aggregate is not valid.
    #[error("an aggregate has the category {category:?}: {reason}")]
    Category {
        /// The category.
        category: &'static str,
        /// The reason why it is not valid.
        reason: InvalidCategory,
    },
    /// The name, the category, the types or the policy of a consumer is not valid.
    #[error("the definition of the consumer {name:?} is not valid: {failure}")]
    Consumer {
        /// The name of the consumer.
        name: String,
        /// The error in its definition.
        failure: Failure,
    },
    /// The Worker is already composed.
    #[error("`start` was called a second time; a Worker can be composed only once")]
    Again,
}

impl From<AppError> for JsValue {
    fn from(error: AppError) -> Self {
        js_sys::Error::new(&error.to_string()).into()
    }
}
