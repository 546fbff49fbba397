//! The order in which a consumer is defined, and in which it is removed.

/// A step of the definition of a consumer. After a step that fails, there are no more steps: the caller may define the
/// consumer again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionStep {
    /// Store the definition. If there is an earlier one, [`ConsumerDriver::change`](super::driver::ConsumerDriver::change)
    /// waits for unfinished deliveries.
    Store,
    /// Register the consumer at this partition of the journal, which wakes it from then on.
    Register {
        /// The partition.
        partition: usize,
    },
    /// Take on the duty to read the feed: [`ConsumerDriver::woken`](super::driver::ConsumerDriver::woken) for partition 0. A
    /// new machine looks at every partition.
    Begin,
}

/// A step of the removal of a consumer. After a step that fails, there are no more steps: the caller may remove the
/// consumer again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalStep {
    /// Remove the consumer from this partition of the journal.
    Unregister {
        /// The partition.
        partition: usize,
    },
    /// Drop the driver. What it had under way has ended, and nobody waits for it any more.
    End,
    /// Erase the alarm and the storage.
    Erase,
    /// Take on the duty to read the feed, because the deployment's code defines a new consumer.
    Begin,
}

/// The steps of a definition, in a journal with so many partitions.
///
/// The definition is stored before a journal can wake the consumer, and the duty is taken on last: so no event is
/// recorded between the first read and the registration without a wake.
///
/// ```
/// use sillok::handler::{DefinitionStep, definition_steps};
///
/// let steps: Vec<_> = definition_steps(2).collect();
/// let [first, second] = [0, 1].map(|partition| DefinitionStep::Register { partition });
/// assert_eq!(steps, [DefinitionStep::Store, first, second, DefinitionStep::Begin]);
/// ```
pub fn definition_steps(partitions: usize) -> impl Iterator<Item = DefinitionStep> {
    let register = (0..partitions).map(|partition| DefinitionStep::Register { partition });
    std::iter::once(DefinitionStep::Store).chain(register).chain([DefinitionStep::Begin])
}

/// The steps of a removal, in a journal with so many partitions. `is_in_code` says that the deployment's code defines a
/// consumer of this name.
///
/// The journals forget the consumer first: otherwise they would wake a consumer that does not exist.
///
/// ```
/// use sillok::handler::{RemovalStep, removal_steps};
///
/// let steps: Vec<_> = removal_steps(1, false).collect();
/// assert_eq!(steps, [RemovalStep::Unregister { partition: 0 }, RemovalStep::End, RemovalStep::Erase]);
/// ```
pub fn removal_steps(partitions: usize, is_in_code: bool) -> impl Iterator<Item = RemovalStep> {
    let unregister = (0..partitions).map(|partition| RemovalStep::Unregister { partition });
    let begin = is_in_code.then_some(RemovalStep::Begin);
    unregister.chain([RemovalStep::End, RemovalStep::Erase]).chain(begin)
}
