//! What travels as plain objects of JavaScript: to whoever calls the package, and between the objects of the Worker.
//!
//! The two sides of a call may run two versions of the code. So a message ignores a field that it does not know, and a field
//! that is newer than the message has a default (docs/adr/0024).
//!
//! A message is converted field by field, by one function for each type that a field may have. A general serialiser would
//! compile to a visitor for every message, which is several times as much code.

use std::cell::RefCell;

use js_sys::{Array, JsString, Object, Reflect};
use sillok::handler::{ConsumerName, DocumentKey, LetterId};
use sillok::store::StreamId;
use wasm_bindgen::{JsCast, JsValue};

use super::js_value::whole;
use super::scalar::Scalar;
use super::text::text_of;

/// Something that has a form in JavaScript.
pub trait Message: Sized {
    /// The value as JavaScript has it. A field that holds nothing is not there at all.
    fn to_js(&self) -> JsValue;

    /// Reads what [`to_js`](Self::to_js) gave; nothing where the value has another shape.
    fn from_js(value: &JsValue) -> Option<Self>;
}

/// Makes a struct a [`Message`]: an object with these names for its fields.
///
/// A field is required, unless it is an `Option`, which is `None` where it is missing. A field that was added later needs a
/// default behind its name: a sender of an older version does not send the field, and the message then has the default.
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

/// An object of those fields that are not undefined.
#[must_use]
pub fn object(fields: &[(&'static str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_undefined()) {
        // An object that was just made takes any field.
        let _ = Reflect::set(&object, &js_name(name), value);
    }
    object.into()
}

/// A field of an object; nothing where the object has none that fits.
#[must_use]
pub fn field<T: Message>(object: &JsValue, name: &'static str) -> Option<T> {
    T::from_js(&part(object, name).ok()?)
}

/// A field of an object, and the default where the object does not have the field; nothing where the field does not fit.
#[must_use]
pub fn field_or<T: Message>(object: &JsValue, name: &'static str, default: impl FnOnce() -> T) -> Option<T> {
    let value = part(object, name).ok()?;
    if value.is_undefined() { Some(default()) } else { T::from_js(&value) }
}

/// A part of an object, whatever it is; undefined where there is none.
///
/// # Errors
/// What JavaScript throws: a `TypeError` where `object` is none.
pub fn part(object: &JsValue, name: &'static str) -> Result<JsValue, JsValue> {
    Reflect::get(object, &js_name(name))
}

thread_local! {
    static NAMES: RefCell<Vec<(&'static str, JsString)>> = const { RefCell::new(Vec::new()) };
}

/// The name of a field as JavaScript has it. Each is made once: to make them anew for every message took about a tenth of the time
/// of an append in memory.
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

/// A message without fields. It ignores every field, as each message ignores those that it does not know.
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
        // versions, positions and counts, which JavaScript holds exactly
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

/// Names travel as texts. A message with a text that is no such name has another shape, so what takes the message takes no
/// unchecked name.
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
