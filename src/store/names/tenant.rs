//! The names of tenants.

use super::name::name_type;
use crate::store::limits::TENANT_BYTES;

name_type! {
    /// The name of a tenant. A tenant has its own streams, journal and consumers. The default tenant has no name.
    ///
    /// 1 to 200 bytes of UTF-8 without control characters. Cheap to clone.
    ///
    /// ```
    /// use sillok::store::Tenant;
    ///
    /// assert_eq!(Tenant::new("acme")?.as_str(), "acme");
    /// assert!(Tenant::new("acme\u{1f}").is_err());
    /// # Ok::<(), sillok::store::InvalidTenant>(())
    /// ```
    Tenant, TENANT_BYTES;
    /// The reason why a text is not a valid name of a tenant.
    InvalidTenant, InvalidTenant, "tenant"
}
