//! The package's limits are the core's: `js/ts/store/limits.ts` has the numbers that TypeScript checks or sets.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)] // a test may panic

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sillok::handler::Policy;
use sillok::store::limits;

/// The limits with these names, and their values in the core.
macro_rules! core_limits {
    ($($name:ident),* $(,)?) => {
        [$((stringify!($name), limits::$name as u64)),*]
    };
}

/// The core's limits that TypeScript checks too. It refuses a name or an option before the engine sees it.
const SHARED: [(&str, u64); 13] = core_limits![
    CONSUMER_ATTEMPTS,
    CONSUMER_DELAY_MILLIS,
    CONSUMER_NAME_BYTES,
    CONSUMER_TIMEOUT_MILLIS,
    DOCUMENT_KEY_BYTES,
    DOCUMENT_WAIT_MILLIS,
    EVENT_ID_BYTES,
    EVENT_TYPE_BYTES,
    IDEMPOTENCY_KEY_BYTES,
    PAGE_EVENTS,
    PROJECTION_VERSION,
    STREAM_ID_BYTES,
    TIMER_KEY_BYTES,
];

/// The numbers of the default policy, under their names in TypeScript.
const POLICY: [(&str, u64); 4] = [
    ("POLICY_ATTEMPTS", Policy::DEFAULT.attempts as u64),
    ("POLICY_FIRST_DELAY_MILLIS", Policy::DEFAULT.first_delay),
    ("POLICY_LONGEST_DELAY_MILLIS", Policy::DEFAULT.longest_delay),
    ("POLICY_TIMEOUT_MILLIS", Policy::DEFAULT.timeout),
];

/// The core's limits that only the engine and a server check.
const CORE_ALONE: [&str; 31] = [
    "APPENDS",
    "COMMAND_BYTES",
    "COMMIT_BYTES",
    "COMMIT_EVENTS",
    "CONSUMER_PARTITIONS",
    "DOCUMENT_BYTES",
    "DUE_SCAN",
    "ERROR_BYTES",
    "JOURNAL_GROUP_BYTES",
    "JOURNAL_STREAMS",
    "LETTERS_LOOKED_AT",
    "MAX_TIME_MILLIS",
    "MAX_VERSION",
    "METADATA_BYTES",
    "OUTCOMES_LOOKED_AT",
    "PAGE_BYTES",
    "PAGE_LOOKED_AT",
    "PENDING_ATTEMPTS",
    "RECENT_CHANGES_BYTES",
    "REJECTION_BYTES",
    "REMOVED_ROWS",
    "ROW_BYTES",
    "SCHEMA_VERSION",
    "SENT_AT_ONCE",
    "SNAPSHOT_CODES",
    "STACK_BYTES",
    "STATE_BYTES",
    "STREAM_BYTES",
    "STREAM_SENT",
    "STREAM_TIMERS",
    "TENANT_BYTES",
];

/// The package's limits for parts that the core does not have: requests, files, timers, the writer of JSON, and the defaults of
/// aggregates.
const PACKAGE_ALONE: [&str; 13] = [
    "ATTEMPTS_AT_ONE_TIME",
    "BUSY_TIMEOUT_MILLIS",
    "CHECKPOINT_CHARACTERS",
    "EXECUTE_ATTEMPTS",
    "JSON_CHARACTERS",
    "JSON_LEVELS",
    "KEPT_STATES",
    "MOST_EXECUTE_ATTEMPTS",
    "MOST_RETRIES",
    "RETRIES",
    "SNAPSHOT_EVENTS",
    "STREAM_ATTEMPTS_AT_ONE_TIME",
    "TIMER_MILLIS",
];

/// The TypeScript files that define consumers.
const DEFINITIONS: [&str; 3] = ["definition.ts", "projection.ts", "reactor.ts"];

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names and values after `keyword` at the beginning of a line, up to the semicolon.
fn constants<'a>(source: &'a str, keyword: &str) -> Vec<(&'a str, &'a str)> {
    let lines = source.lines().filter_map(|line| line.strip_prefix(keyword)?.strip_suffix(';'));
    lines.map(|line| line.split_once(" = ").unwrap()).collect()
}

/// A product of whole numbers.
fn product(value: &str) -> u64 {
    value.split(" * ").map(|factor| factor.replace('_', "").parse::<u64>().unwrap()).product()
}

fn typescript() -> BTreeMap<String, u64> {
    let source = text("js/ts/store/limits.ts");
    let found = constants(&source, "export const ");
    let limits: BTreeMap<_, _> =
        found.iter().map(|(name, value)| ((*name).to_owned(), product(value))).collect();
    let code =
        source.lines().filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("/**"));
    assert_eq!(code.count(), limits.len(), "each line of code in js/ts/store/limits.ts is one number");
    limits
}

fn sorted<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable();
    names
}

#[test]
fn typescript_has_the_numbers_of_the_core() {
    let found = typescript();
    for (name, number) in SHARED.into_iter().chain(POLICY) {
        assert_eq!(found.get(name), Some(&number), "{name} in js/ts/store/limits.ts");
    }
}

#[test]
fn each_number_in_typescript_is_known_here() {
    let found = typescript();
    let known = SHARED.into_iter().chain(POLICY).map(|(name, _)| name).chain(PACKAGE_ALONE);
    assert_eq!(sorted(found.keys().map(String::as_str)), sorted(known));
}

#[test]
fn each_limit_of_the_core_is_in_typescript_or_is_the_cores_alone() {
    let source = text("src/store/limits.rs");
    let found = constants(&source, "pub const ").into_iter().map(|(name, _)| name.split_once(':').unwrap().0);
    let known = SHARED.into_iter().map(|(name, _)| name).chain(CORE_ALONE);
    assert_eq!(sorted(found), sorted(known));
}

#[test]
fn each_number_of_the_default_policy_is_compared() {
    // This pattern has no `..`, so that a new field does not compile until it is here.
    let Policy { on_failure: _, attempts, first_delay, longest_delay, timeout } = Policy::DEFAULT;
    let numbers = [u64::from(attempts), first_delay, longest_delay, timeout];
    assert_eq!(POLICY.map(|(_, number)| number), numbers);
}

#[test]
fn the_package_sends_each_checkpoint_that_a_server_gives() {
    let position = limits::MAX_VERSION.to_string().len() + 1;
    let longest = u64::try_from(limits::CONSUMER_PARTITIONS * position).unwrap();
    assert!(typescript()["CHECKPOINT_CHARACTERS"] >= longest);
}

/// The rules about consumers take their numbers from `limits.ts`. Only the numbers 0 and 1 may stand elsewhere.
#[test]
fn definitions_of_consumers_have_no_number_of_their_own() {
    for file in DEFINITIONS {
        let source = text(&format!("js/ts/consumer/{file}"));
        let code = source.lines().filter(|line| {
            let line = line.trim_start();
            !["//", "/*", "*"].iter().any(|comment| line.starts_with(comment))
        });
        for line in code.map(|line| line.replace("UTF-8", "")) {
            let words = line.split(|character: char| !character.is_alphanumeric() && character != '_');
            let numbers = words.filter(|word| word.starts_with(|first: char| first.is_ascii_digit()));
            for number in numbers {
                assert!(["0", "1"].contains(&number), "js/ts/consumer/{file} has a number: {line}");
            }
        }
    }
}
