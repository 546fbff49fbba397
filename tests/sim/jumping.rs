//! A clock that jumps: it is wrong by days, ahead or behind, and right again.

#[path = "random.rs"]
#[allow(dead_code)]
mod random;

pub use random::Random;

/// In milliseconds.
pub const DAY: u64 = 86_400_000;

/// The clock some time later, or wherever it has jumped to.
pub fn jumped(random: &mut Random, clock: u64) -> u64 {
    match random.below(4) {
        0 => clock + random.below(2 * DAY),
        1 => clock.saturating_sub(random.below(2 * DAY)),
        _ => clock + random.below(2000),
    }
}
