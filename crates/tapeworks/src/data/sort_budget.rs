//! How much memory sorting may take.

use crate::base::{Error, ErrorKind, Result};

/// Decoded bytes that may be held to bring rows into order.
pub(crate) const SORT_BYTES: u64 = 512 << 20;

/// Refuses to hold more rows than the budget allows.
pub(crate) fn check_sort_budget(name: &str, n_rows: u64, n_values: usize) -> Result<()> {
    let bytes = n_rows.saturating_mul(20 + 8 * n_values as u64);
    if bytes <= SORT_BYTES {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Resource,
        "R101",
        format!(
            "{name}: rows are not in time order; sorting {n_rows} rows needs {bytes} bytes, \
             {SORT_BYTES} are allowed",
        ),
    )
    .with_hint(format!(
        "write the table in order once: tapeworks sort {name} --out SORTED.parquet"
    )))
}

#[cfg(test)]
mod tests {
    use super::check_sort_budget;

    #[test]
    fn sort_budget_when_exceeded_then_the_bytes_and_the_command_are_named() {
        assert!(check_sort_budget("bars.parquet", 1_000_000, 5).is_ok());
        // 20 bytes of keys and 5 values of 8 bytes a row.
        let error = check_sort_budget("bars.parquet", 10_000_000, 5).expect_err("600 MB");
        assert_eq!(error.code(), "R101");
        assert!(error.message().contains("600000000 bytes"), "{error}");
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("tapeworks sort bars.parquet --out"), "{error}");
    }
}
