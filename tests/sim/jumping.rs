//! A clock that jumps. It is wrong by days, ahead or behind, and then right again.

#[path = "random.rs"]
#[allow(dead_code)]
mod random;

pub use random::Random;

/// A day, in milliseconds.
pub const DAY: u64 = 86_400_000;

/// The clock some time later, or at the place to which it has jumped.
pub fn jumped(random: &mut Random, clock: u64) -> u64 {
    match random.below(4) {
        0 => clock + random.below(2 * DAY),
        1 => clock.saturating_sub(random.below(2 * DAY)),
        _ => clock + random.below(2000),
    }
}
