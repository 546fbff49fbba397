//! Messages: plain JavaScript objects for the callers of the package, and between the objects of the Worker.
//!
//! The two sides of a call may run two versions of the code. So a message ignores unknown fields, and a field that was added
//! later has a default (docs/adr/0024).
//!
//! A message is converted field by field, by one function for each type of field. A general serialiser would compile to a
//! visitor for every message, which is several times as much code.

use std::cell::RefCell;

use js_sys::{Array, JsString, Object, Reflect};
use sillok::handler::{ConsumerName, DocumentKey, LetterId};
use sillok::store::StreamId;
use wasm_bindgen::{JsCast, JsValue};

use super::js_value::whole;
use super::scalar::Scalar;
use super::text::text_of;

/// A type with a form in JavaScript.
pub trait Message: Sized {
    /// The value for JavaScript. An absent field is not a member of the object.
    fn to_js(&self) -> JsValue;

    /// Reads a value that [`to_js`](Self::to_js) returned. Returns `None` if the value has another shape.
    fn from_js(value: &JsValue) -> Option<Self>;
}

/// Makes a struct a [`Message`]: an object with these names for its fields.
///
/// A field is required, unless it is an `Option`, which is `None` if the field is absent. A field that was added later needs a
/// default after its name. A sender of an older version does not send the field, and the message then has the default.
///
/// ```
/// struct Page {
///     events: String,
///     first_version: u64,
///     truncated: bool,
/// }
///
/// sillok_bridge::message!(Page { events: "events", first_version: "firstVersion", truncated: "truncated" = false });
/// ```
#[macro_export]
macro_rules! message {
    (@read $value:ident, $name:literal) => { $crate::field($value, $name) };
    (@read $value:ident, $name:literal, $default:expr) => { $crate::field_or($value, $name, || $default) };
    ($message:ident { $($field:ident: $name:literal $(= $default:expr)?),* $(,)? }) => {
        impl $crate::Message for $message {
            fn to_js(&self) -> $crate::JsValue {
                $crate::object(&[$(($name, $crate::Message::to_js(&self.$field))),*])
            }

            fn from_js(value: &$crate::JsValue) -> Option<Self> {
                Some(Self { $($field: $crate::message!(@read value, $name $(, $default)?)?),* })
            }
        }
    };
}

/// Makes an object from the fields that are not undefined.
#[must_use]
pub fn object(fields: &[(&'static str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_undefined()) {
        // A new object takes any field.
        let _ = Reflect::set(&object, &js_name(name), value);
    }
    object.into()
}

/// Reads a field of an object. Returns `None` if the object has no such field or if the field has another type.
#[must_use]
pub fn field<T: Message>(object: &JsValue, name: &'static str) -> Option<T> {
    T::from_js(&part(object, name).ok()?)
}

/// Reads a field of an object. Returns the default if the field is absent, and `None` if it has another type.
#[must_use]
pub fn field_or<T: Message>(object: &JsValue, name: &'static str, default: impl FnOnce() -> T) -> Option<T> {
    let value = part(object, name).ok()?;
    if value.is_undefined() { Some(default()) } else { T::from_js(&value) }
}

/// Returns a member of an object, of any type. Returns undefined if there is none.
///
/// # Errors
/// The exception of JavaScript: a `TypeError` if `object` is not an object.
pub fn part(object: &JsValue, name: &'static str) -> Result<JsValue, JsValue> {
    Reflect::get(object, &js_name(name))
}

thread_local! {
    static NAMES: RefCell<Vec<(&'static str, JsString)>> = const { RefCell::new(Vec::new()) };
}

/// The name of a field in JavaScript. Each name is converted once: the conversion for every message took about a tenth of the
/// time of an append in memory.
fn js_name(name: &'static str) -> JsString {
    NAMES.with_borrow_mut(|names| {
        if let Some((_, made)) = names.iter().find(|(known, _)| std::ptr::eq(*known, name)) {
            return made.clone();
        }
        let made = JsString::from(name);
        names.push((name, made.clone()));
        made
    })
}

/// A message without fields. It ignores all fields, because every message ignores unknown fields.
impl Message for () {
    fn to_js(&self) -> JsValue {
        JsValue::UNDEFINED
    }

    fn from_js(_: &JsValue) -> Option<Self> {
        Some(())
    }
}

impl Message for bool {
    fn to_js(&self) -> JsValue {
        (*self).into()
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_bool()
    }
}

impl Message for u64 {
    fn to_js(&self) -> JsValue {
        #[allow(clippy::cast_precision_loss)]
        // versions, positions and counts are exact in JavaScript
        JsValue::from_f64(*self as f64)
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_f64().and_then(whole)
    }
}

impl Message for usize {
    fn to_js(&self) -> JsValue {
        u64::try_from(*self).unwrap_or(u64::MAX).to_js()
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        u64::from_js(value)?.try_into().ok()
    }
}

impl Message for String {
    fn to_js(&self) -> JsValue {
        JsValue::from_str(self)
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        text_of(value)
    }
}

/// Names are texts in a message. A message with an invalid name has another shape. So the receiver of a message gets checked
/// names only.
macro_rules! named {
    ($($name:ty),*) => {
        $(impl Message for $name {
            fn to_js(&self) -> JsValue {
                JsValue::from_str(self.as_str())
            }

            fn from_js(value: &JsValue) -> Option<Self> {
                Self::new(&text_of(value)?).ok()
            }
        })*
    };
}

named!(StreamId, ConsumerName, DocumentKey);

impl Message for LetterId {
    fn to_js(&self) -> JsValue {
        JsValue::from_str(&self.to_string())
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        Self::parse(&text_of(value)?).ok()
    }
}

impl Message for Box<str> {
    fn to_js(&self) -> JsValue {
        JsValue::from_str(self)
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        text_of(value).map(String::into_boxed_str)
    }
}

impl Message for Scalar {
    fn to_js(&self) -> JsValue {
        match self {
            Self::Text(text) => text.to_js(),
            Self::Number(number) => number.to_js(),
            Self::Other => JsValue::NULL,
        }
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        let number = || u64::from_js(value).map(Self::Number);
        Some(value.as_string().map(Self::Text).or_else(number).unwrap_or(Self::Other))
    }
}

impl<T: Message> Message for Option<T> {
    fn to_js(&self) -> JsValue {
        self.as_ref().map_or(JsValue::UNDEFINED, T::to_js)
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        if value.is_undefined() { Some(None) } else { T::from_js(value).map(Some) }
    }
}

impl<T: Message> Message for Vec<T> {
    fn to_js(&self) -> JsValue {
        self.iter().map(T::to_js).collect::<Array>().into()
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        value.dyn_ref::<Array>()?.iter().map(|item| T::from_js(&item)).collect()
    }
}
