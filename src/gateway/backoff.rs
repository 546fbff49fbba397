//! The time to wait before another attempt.

/// The wait after the first failure, in milliseconds.
const FIRST_MILLIS: u64 = 500;
/// The longest wait, in milliseconds.
pub(super) const LONGEST_MILLIS: u64 = 5 * 60 * 1000;

/// The time to wait after this number of failures in a row, in milliseconds. It doubles with each failure, up to five
/// minutes. `jitter`, a random number, spreads attempts that failed together over the second half of the wait.
#[must_use]
pub fn backoff(failures: u32, jitter: u64) -> u64 {
    // A greater number means a longer wait here, and a shorter one in `wait`.
    wait(FIRST_MILLIS, LONGEST_MILLIS, failures, !jitter)
}

/// The time to wait after this number of failures in a row. It begins with `first` and doubles each time, up to
/// `longest`. The lower 32 bits of `jitter` reduce it by up to half: a greater number reduces it more.
pub(crate) fn wait(first: u64, longest: u64, failures: u32, jitter: u64) -> u64 {
    let doublings = failures.saturating_sub(1).min(32);
    let wait = first.saturating_mul(1 << doublings).min(longest);
    let share = (jitter & u64::from(u32::MAX)) + 1;
    wait - ((wait / 2 * share) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_never_leaves_its_bounds_however_often_it_failed() {
        assert_eq!([1, 2, 3, 4].map(|failures| backoff(failures, 0)), [250, 500, 1000, 2000]);
        assert_eq!([1, 2, 3, 4].map(|failures| backoff(failures, u64::MAX)), [500, 1000, 2000, 4000]);
        for failures in 11..200 {
            assert_eq!(backoff(failures, 0), LONGEST_MILLIS / 2, "{failures}");
            assert_eq!(backoff(failures, u64::MAX), LONGEST_MILLIS, "{failures}");
        }
    }
}
