//! The numbers of passed and failed tests, read from the output of each runner.

/// The counts of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Reads the output of libtest, rustdoc and wasm-bindgen-test, with one line for each test program: `test result: ok. 3 passed;
/// 0 failed; 1 ignored; …`.
pub(crate) fn libtest(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines() {
        if let Some((_, result)) = line.split_once("test result: ") {
            let result = result.split_once(". ").map_or(result, |(_, numbers)| numbers);
            counts.add(Counts {
                passed: before(result, "passed"),
                failed: before(result, "failed"),
                skipped: before(result, "ignored"),
            });
        }
    }
    counts
}

/// Reads the output of Node's `spec` reporter, which has the counts at the end: `ℹ pass 5`, `ℹ fail 0`, `ℹ cancelled 0`, …
pub(crate) fn node(output: &str) -> Counts {
    let last = |name: &str| -> u64 {
        let number = |line: &str| line.strip_prefix("ℹ ")?.strip_prefix(name)?.trim().parse().ok();
        output.lines().rev().find_map(number).unwrap_or(0)
    };
    Counts {
        passed: last("pass "),
        failed: last("fail ") + last("cancelled "),
        skipped: last("skipped ") + last("todo "),
    }
}

/// The number before a word: 3 for `passed` in `3 passed; 0 failed`.
fn before(text: &str, word: &str) -> u64 {
    let mut previous = "";
    for part in text.split_whitespace() {
        if part.trim_end_matches([',', ';']) == word {
            return previous.parse().unwrap_or(0);
        }
        previous = part;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn libtest_results_are_summed() {
        let output = "\
running 3 tests
test a ... ok
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 filtered out; finished in 0.10s
";
        assert_eq!(libtest(output), counts(4, 2, 1));
        assert_eq!(libtest("no tests to run!"), Counts::default());
    }

    #[test]
    fn node_counts_cancelled_tests_as_failed() {
        let output = "\
✔ appends (1.2ms)
ℹ tests 8
ℹ suites 0
ℹ pass 5
ℹ fail 1
ℹ cancelled 1
ℹ skipped 1
ℹ todo 0
ℹ duration_ms 61.5
";
        assert_eq!(node(output), counts(5, 2, 1));
        assert_eq!(node("Could not find 'x.test.ts'"), Counts::default());
    }
}
