//! The names of objects: whose an object is, and what it keeps.

use worker::State;

/// What a tenant's name and the rest are joined by. Neither can hold it, so no two pairs give the same name.
const TENANT_SEPARATOR: char = '\u{1f}';

/// The name of an object. Each tenant's objects are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectName {
    tenant: Option<String>,
    /// What the object keeps: the name of a stream, or the number of a partition.
    pub(crate) keeps: String,
}

impl ObjectName {
    pub(crate) fn new(tenant: Option<&str>, keeps: impl ToString) -> Self {
        Self { tenant: tenant.map(str::to_owned), keeps: keeps.to_string() }
    }

    /// The name of the object whose state this is, which knows it by itself, also when its alarm rings. Nothing where the
    /// object was not found by a name.
    pub(crate) fn of(state: &State) -> Option<Self> {
        state.id().name().map(|name| Self::parse(&name))
    }

    fn parse(name: &str) -> Self {
        match name.split_once(TENANT_SEPARATOR) {
            None => Self::new(None, name),
            Some((tenant, keeps)) => Self::new(Some(tenant), keeps),
        }
    }

    /// Whose the object is; the default tenant has no name.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The name of another object of the same tenant.
    pub(crate) fn sibling(&self, keeps: impl ToString) -> Self {
        Self::new(self.tenant.as_deref(), keeps)
    }
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.tenant {
            None => formatter.write_str(&self.keeps),
            Some(tenant) => write!(formatter, "{tenant}{TENANT_SEPARATOR}{}", self.keeps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ObjectName;

    #[test]
    fn an_object_knows_whose_it_is() {
        for name in [ObjectName::new(None, "account-1"), ObjectName::new(Some("a"), "account-1")] {
            assert_eq!(ObjectName::parse(&name.to_string()), name);
        }
        assert_eq!(ObjectName::parse("a\u{1f}account-1").sibling(0).to_string(), "a\u{1f}0");
        assert_eq!(ObjectName::parse("account-1").sibling(7).to_string(), "7");
    }
}
