//! How long to wait before another attempt.

/// The wait before the first new attempt, in milliseconds.
const FIRST_MILLIS: u64 = 500;
/// The longest wait, in milliseconds.
const LONGEST_MILLIS: u64 = 5 * 60 * 1000;

/// How long to wait after so many failures in a row, in milliseconds: twice as long each time, up to five minutes. What
/// failed together is spread over the second half of the wait by `jitter`, a random number.
#[must_use]
pub fn backoff(failures: u32, jitter: u64) -> u64 {
    let doubled = FIRST_MILLIS.checked_shl(failures.saturating_sub(1)).unwrap_or(LONGEST_MILLIS);
    let wait = doubled.min(LONGEST_MILLIS);
    wait / 2 + jitter % (wait / 2 + 1)
}
