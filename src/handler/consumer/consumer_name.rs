//! The names of consumers.

use crate::store::limits::CONSUMER_NAME_BYTES;
use crate::store::names::name::name_type;

name_type! {
    /// The name of a consumer: a projection, a reactor, a webhook or a queue.
    ///
    /// 1 to 200 bytes of UTF-8 without control characters. Cheap to clone.
    ///
    /// ```
    /// use sillok::handler::ConsumerName;
    ///
    /// assert_eq!(ConsumerName::new("balances")?.as_str(), "balances");
    /// assert!(ConsumerName::new("acme\u{1f}balances").is_err());
    /// # Ok::<(), sillok::handler::InvalidConsumerName>(())
    /// ```
    ConsumerName, CONSUMER_NAME_BYTES;
    /// The reason why a text is not a valid name of a consumer.
    InvalidConsumerName, InvalidConsumerName, "consumer's name"
}
