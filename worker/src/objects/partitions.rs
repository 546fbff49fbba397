//! The number of partitions of a tenant's journal.

use sillok::ErrorCode;
use sillok_bridge::{Failure, part};
use worker::Env;

const NAME: &str = "JOURNAL_PARTITIONS";
const MOST: usize = 64;

/// Reads the number of partitions from the Worker's variables. The default is 1.
///
/// # Errors
/// `invalid_configuration` if the variable is not such a number. Sillok does not guess: with another number it would look for a
/// stream in another partition.
pub(crate) fn partitions(env: &Env) -> Result<usize, Failure> {
    let value = part(env, NAME).unwrap_or_default();
    if value.is_undefined() {
        return Ok(1);
    }
    parse(value.as_string().as_deref()).ok_or_else(|| {
        let detail =
            format!("`{NAME}` of this deployment must be the text of a whole number from 1 to {MOST}");
        Failure::new(ErrorCode::InvalidConfiguration, detail)
    })
}

fn parse(text: Option<&str>) -> Option<usize> {
    let number = text?.parse().ok().filter(|number| (1..=MOST).contains(number))?;
    (text == Some(number.to_string().as_str())).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_number_of_partitions() {
        assert_eq!([Some("1"), Some("8"), Some("64")].map(parse), [Some(1), Some(8), Some(64)]);
        for wrong in ["", "0", "65", "-1", "+1", "01", "1.0", " 1", "two"] {
            assert_eq!(parse(Some(wrong)), None, "{wrong}");
        }
        assert_eq!(parse(None), None);
    }
}
