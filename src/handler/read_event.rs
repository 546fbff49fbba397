//! Events in the types of a handler.

use std::cell::Cell;
use std::iter;

use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde_json::value::RawValue;

use super::deciders::event::{Upcasts, newest, upcast};
use super::feed::FeedEvent;
use crate::handler::projections::projection::Failed;
use crate::store::{JsonText, all_members, members};

/// Reads an event into a handler's type.
///
/// Empty data has two forms, `null` and `{}`. A variant without fields accepts both, written as `Closed` or as `Closed
/// {}`. A variant with only optional fields accepts `null` in the same way as `{}`.
///
/// # Errors
/// The event does not fit the type.
pub fn read_event<E: DeserializeOwned>(event: &FeedEvent) -> Result<E, Failed> {
    read_tagged(&event.json).map_err(|error| Failed::from(format!("the event cannot be read: {error}")))
}

/// Reads an event into a handler's type, after its data were converted to the newest schema version.
///
/// # Errors
/// The event does not fit the type, cannot be converted, or has a higher schema version than the conversions know.
pub fn read_upcast<E: DeserializeOwned>(event: &FeedEvent, upcasts: Upcasts) -> Result<E, Failed> {
    match upcast_event(event, upcasts)? {
        Some(json) => read_event(&FeedEvent { json, ..event.clone() }),
        None => read_event(event),
    }
}

/// The event as JSON, with converted data. `None` if its data need no conversion.
fn upcast_event(event: &FeedEvent, upcasts: Upcasts) -> Result<Option<String>, Failed> {
    let Some([data, stored]) = members(&event.json, ["data", "schemaVersion"]) else { return Ok(None) };
    if upcasts.is_empty() {
        return Ok(None);
    }
    let (event_type, stored) = (event.event_type.as_str(), stored.map_or(Ok(1), str::parse)?);
    let newest = newest(upcasts, event_type);
    if stored > newest {
        let text = format!("{event_type} has schema version {stored}; this code knows {newest} at most");
        return Err(Failed::from(text));
    }
    let Some(data) = upcast(upcasts, event_type, stored, data.unwrap_or("null"))? else { return Ok(None) };
    Ok(Some(with_data(&event.json, &data, newest)))
}

/// The event as JSON, with data of this schema version in place of the stored data.
pub(super) fn with_data(event: &str, data: &JsonText, schema_version: u32) -> String {
    let mut parts = Vec::new();
    for member in all_members(event).unwrap_or_default() {
        let value = if member.is_named("data") { data.as_str() } else { member.value };
        if !member.is_named("schemaVersion") {
            parts.push([member.name, ":", value].concat());
        }
        if member.is_named("type") {
            parts.push(format!("\"schemaVersion\":{schema_version}"));
        }
    }
    format!("{{{}}}", parts.join(","))
}

/// Reads an event or a command, whose empty data may have either form.
pub(super) fn read_tagged<E: DeserializeOwned>(json: &str) -> Result<E, serde_json::Error> {
    serde_json::from_str(json).or_else(|error| read_in_other_spelling(json).ok_or(error))
}

/// The names that serde reads as the variants of an enum with `#[serde(tag = "type", content = "data")]`. Empty for a type
/// that is read in another way.
pub(super) fn variants_of<E: DeserializeOwned>() -> &'static [&'static str] {
    let asked = Cell::new(&[][..]);
    if let Ok(name) = serde_json::from_str::<&RawValue>("\"type\"") {
        let part = Part { written: name, spelled: None, asked: Some(&asked) };
        // The name of the member is no name of a variant. What counts is which variants the type asks for.
        let _ = E::deserialize(MapDeserializer::new(iter::once((name, part))));
    }
    asked.get()
}

/// Reads an event with empty data as if the data had the other form.
fn read_in_other_spelling<E: DeserializeOwned>(event: &str) -> Option<E> {
    let mut other = false;
    let parts = all_members(event)?.into_iter().map(|member| {
        let raw = |json| serde_json::from_str::<&RawValue>(json).ok();
        let spelled = member.is_named("data").then(|| Spelling::of(member.value)).flatten();
        other |= spelled.is_some();
        Some((raw(member.name)?, Part { written: raw(member.value)?, spelled, asked: None }))
    });
    let parts: Vec<_> = parts.collect::<Option<_>>()?;
    if !other {
        return None;
    }
    E::deserialize(MapDeserializer::new(parts.into_iter())).ok()
}

/// The form of empty data.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    Null,
    EmptyObject,
}

impl Spelling {
    fn of(value: &str) -> Option<Self> {
        match value {
            "null" => Some(Self::Null),
            text => all_members(text)?.is_empty().then_some(Self::EmptyObject),
        }
    }
}

/// A part of an event. If it is empty, variants and types without fields read it in the other form. A type that asks
/// for a specific value, such as an `Option`, reads the original form.
#[derive(Debug)]
struct Part<'de> {
    written: &'de RawValue,
    spelled: Option<Spelling>,
    /// Notes the variants of the enum as which the part is read.
    asked: Option<&'de Cell<&'static [&'static str]>>,
}

macro_rules! as_written {
    ($($method:ident($($argument:ident: $of:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($argument: $of,)* visitor: V) -> Result<V::Value, Self::Error> {
            self.written.$method($($argument,)* visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Part<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.spelled {
            Some(Spelling::Null) => visitor.visit_map(MapDeserializer::new(iter::empty::<(&str, &str)>())),
            Some(Spelling::EmptyObject) => visitor.visit_unit(),
            None => self.written.deserialize_any(visitor),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if fields.is_empty() {
            self.deserialize_any(visitor)
        } else {
            self.written.deserialize_struct(name, fields, visitor)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if let Some(asked) = self.asked {
            asked.set(variants);
        }
        self.written.deserialize_enum(name, variants, visitor)
    }

    as_written! {
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_map();
        deserialize_identifier();
        deserialize_ignored_any();
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for Part<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
