//! Counting: how many tests of a suite passed, failed and were skipped, read from what its runner prints.

use std::fmt;

/// The outcome of one or several suites.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Tests that ran and held.
    pub passed: usize,
    /// Tests that ran and did not.
    pub failed: usize,
    /// Tests, or whole suites, that did not run.
    pub skipped: usize,
}

impl Tally {
    /// Adds another suite.
    pub fn add(&mut self, more: &Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
    }

    /// Counts a runner that failed without a failed test, such as a build that broke, as one failure.
    pub fn note_exit(&mut self, succeeded: bool) {
        if !succeeded && self.failed == 0 {
            self.failed = 1;
        }
    }

    /// Reads a line of `cargo test`: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    pub fn read_cargo(&mut self, line: &str) {
        if let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) {
            self.read_counts(counts.split("; "));
        }
    }

    /// Reads a line of pytest: `==== 1 failed, 12 passed, 2 skipped in 3.20s ====`.
    pub fn read_pytest(&mut self, line: &str) {
        let inner = line.trim_matches(|c| c == '=' || c == ' ');
        if let Some((counts, _seconds)) = inner.rsplit_once(" in ").filter(|_| line.starts_with("==")) {
            self.read_counts(counts.split(", "));
        }
    }

    /// Reads a line of node's runner: `ℹ pass 3` or `# pass 3`.
    pub fn read_node(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        if let ["ℹ" | "#", what, count] = words[..] {
            self.read_counts([format!("{count} {what}").as_str()].into_iter());
        }
    }

    fn read_counts<'a>(&mut self, counts: impl Iterator<Item = &'a str>) {
        for count in counts {
            let Some((number, what)) = count.split_once(' ') else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            match what.trim() {
                "passed" | "pass" | "xfailed" => self.passed += number,
                "failed" | "fail" | "error" | "errors" | "cancelled" | "xpassed" => self.failed += number,
                "ignored" | "skipped" | "todo" => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(read: fn(&mut Tally, &str), lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for line in lines {
            read(&mut tally, line);
        }
        tally
    }

    #[test]
    fn the_results_of_all_cargo_test_binaries_are_summed() {
        let lines = [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "running 2 tests",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.10s",
        ];
        assert_eq!(read(Tally::read_cargo, &lines), Tally { passed: 4, failed: 1, skipped: 1 });
    }

    #[test]
    fn errors_of_pytest_are_failures() {
        let lines = ["=== test session starts ===", "== 1 failed, 12 passed, 2 skipped, 1 error in 3.20s =="];
        assert_eq!(read(Tally::read_pytest, &lines), Tally { passed: 12, failed: 2, skipped: 2 });
    }

    #[test]
    fn tests_that_node_cancelled_are_failures() {
        let lines =
            ["ℹ tests 6", "ℹ pass 4", "ℹ fail 1", "ℹ cancelled 1", "ℹ skipped 0", "ℹ duration_ms 12.5"];
        assert_eq!(read(Tally::read_node, &lines), Tally { passed: 4, failed: 2, skipped: 0 });
    }

    #[test]
    fn a_runner_that_breaks_counts_as_a_failure() {
        let mut tally = Tally { passed: 2, ..Tally::default() };
        tally.note_exit(false);
        assert_eq!(tally.to_string(), "2 passed, 1 failed");
        tally.skipped = 3;
        assert_eq!(tally.to_string(), "2 passed, 1 failed, 3 skipped");
    }
}
