//! The names of objects: a tenant and an identity.
//!
//! A name consists of checked names only. None of them can contain the character that joins them. So two objects never have the
//! same name, and no text of a request reaches the object of another tenant (docs/adr/0016).

use std::fmt;

use sillok::handler::ConsumerName;
use sillok::store::{StreamId, Tenant};
use worker::State;

/// The character between a tenant's name and the identity: a control character, which no name contains.
const TENANT_SEPARATOR: char = '\u{1f}';

/// The identity of an object among the objects of its class and tenant.
pub(crate) trait Identity: fmt::Display + Sized {
    /// The binding of the class, as wrangler.toml names it.
    const BINDING: &'static str;

    /// Reads the displayed form, and no other.
    fn parse(text: &str) -> Option<Self>;
}

/// The number of a partition of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partition(pub(crate) usize);

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Identity for StreamId {
    const BINDING: &'static str = "AGGREGATE";

    fn parse(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }
}

impl Identity for Partition {
    const BINDING: &'static str = "JOURNAL";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self).filter(|partition| partition.to_string() == text)
    }
}

impl Identity for ConsumerName {
    const BINDING: &'static str = "CONSUMER";

    fn parse(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }
}

/// The name of an object. Each tenant has its own objects. In the default tenant the name is the identity alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectName<K> {
    tenant: Option<Tenant>,
    /// The stream, the partition or the consumer of the object.
    pub(crate) identity: K,
}

impl<K: Identity> ObjectName<K> {
    pub(crate) fn new(tenant: Option<&Tenant>, identity: K) -> Self {
        Self { tenant: tenant.cloned(), identity }
    }

    /// The name of the object with this state. An object knows its own name, also when its alarm rings. `None` if the object
    /// was not found by such a name.
    pub(crate) fn of(state: &State) -> Option<Self> {
        Self::parse(&state.id().name()?)
    }

    fn parse(name: &str) -> Option<Self> {
        match name.split_once(TENANT_SEPARATOR) {
            None => Some(Self { tenant: None, identity: K::parse(name)? }),
            Some((tenant, identity)) => {
                Some(Self { tenant: Some(Tenant::new(tenant).ok()?), identity: K::parse(identity)? })
            }
        }
    }

    /// The tenant of the object. The default tenant has no name.
    pub(crate) fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }
}

impl<K: Identity> fmt::Display for ObjectName<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tenant {
            None => self.identity.fmt(formatter),
            Some(tenant) => write!(formatter, "{tenant}{TENANT_SEPARATOR}{}", self.identity),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name<K: Identity>(tenant: Option<&str>, identity: &str) -> ObjectName<K> {
        let tenant = tenant.map(|tenant| Tenant::new(tenant).unwrap());
        ObjectName::new(tenant.as_ref(), K::parse(identity).unwrap())
    }

    #[test]
    fn the_names_of_objects_are_pinned() {
        assert_eq!(name::<StreamId>(None, "account-1").to_string(), "account-1");
        assert_eq!(name::<StreamId>(Some("a"), "account-1").to_string(), "a\u{1f}account-1");
        assert_eq!(name::<Partition>(None, "7").to_string(), "7");
        assert_eq!(name::<Partition>(Some("a"), "0").to_string(), "a\u{1f}0");
        assert_eq!(name::<ConsumerName>(None, "sums").to_string(), "sums");
        assert_eq!(name::<ConsumerName>(Some("a"), "sums").to_string(), "a\u{1f}sums");
    }

    #[test]
    fn invalid_names_of_objects_are_refused() {
        for wrong in ["", "\u{1f}a", "a\u{1f}", "a\u{1f}b\u{1f}c", "a\nb", "a\u{7f}"] {
            assert_eq!(ObjectName::<StreamId>::parse(wrong), None, "{wrong:?}");
            assert_eq!(ObjectName::<ConsumerName>::parse(wrong), None, "{wrong:?}");
        }
        for wrong in ["", "a", "-1", "+1", "01", "1.0", " 1"] {
            assert_eq!(Partition::parse(wrong), None, "{wrong:?}");
        }
    }
}

/// Different objects have different names, and an object reads its tenant and its identity from its name.
#[cfg(all(test, not(target_arch = "wasm32")))]
mod property {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::hash::{BuildHasher, Hasher, RandomState};

    use proptest::prelude::*;
    use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

    use super::*;

    const CASES: u32 = 20_000;
    /// Few pieces, some of which no name may contain: texts of them are easily taken for one another.
    const PIECES: &[&str] =
        &["a", "b", "-", "0", "1", "\u{1f}", "\0", "\n", "\u{7f}", "\u{85}", "/", "%1F", "\u{e9}"];

    fn text() -> impl Strategy<Value = String> {
        let few = prop::collection::vec(prop::sample::select(PIECES), 0..4).prop_map(|p| p.concat());
        prop_oneof![8 => few, 1 => any::<String>()]
    }

    /// The object of this tenant and identity: its class, its name, and whether the name is read again.
    fn object<K: Identity>(tenant: Option<&Tenant>, text: &str) -> Option<(&'static str, String, bool)> {
        let name = ObjectName::new(tenant, K::parse(text)?);
        let printed = name.to_string();
        let again = ObjectName::<K>::parse(&printed);
        let agrees =
            again.is_some_and(|again| again.tenant() == tenant && again.identity.to_string() == text);
        Some((K::BINDING, printed, agrees))
    }

    #[test]
    fn names_are_different_and_read_again() {
        let given = std::env::var("SILLOK_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed: u64 = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config = ProptestConfig { failure_persistence: None, cases: CASES, ..ProptestConfig::default() };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let made = RefCell::new(HashMap::new());
        let run =
            TestRunner::new_with_rng(config, rng).run(&(text(), text(), 0..3), |(tenant, text, kind)| {
                // An invalid tenant is refused, and not taken for the default one.
                let tenant = if tenant.is_empty() { Ok(None) } else { Tenant::new(&tenant).map(Some) };
                let Ok(tenant) = tenant else { return Ok(()) };
                let object = match kind {
                    0 => object::<StreamId>(tenant.as_ref(), &text),
                    1 => object::<Partition>(tenant.as_ref(), &text),
                    _ => object::<ConsumerName>(tenant.as_ref(), &text),
                };
                let Some((binding, name, agrees)) = object else { return Ok(()) };
                prop_assert!(agrees, "{name:?} is read as something else");
                let before = made.borrow_mut().insert((binding, name), (tenant.clone(), text.clone()));
                prop_assert!(
                    before.is_none_or(|before| before == (tenant, text)),
                    "two objects have one name"
                );
                Ok(())
            });
        println!("seed {seed}: {CASES} cases, {} different objects", made.borrow().len());
        run.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}
