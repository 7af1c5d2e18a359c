//! What a run of a given size takes: memory at its peak, and time.
//!
//! The figures were fitted to whole runs of the command line, 3 thousand to 25 million rows,
//! without orders and with a million fills. Measured peaks lie within half and twice the estimate.

use std::mem::size_of;

use crate::engine::RunLog;

const MIB: u64 = 1 << 20;
/// The program, its calendars and zones, and what decoding, metrics and the report hold.
const BASE_BYTES: u64 = 18 * MIB;
/// Chunks alive at a time: one being walked, two waiting, one being decoded.
const CHUNKS_ALIVE: u64 = 4;
/// Portfolio states, their table and their series for metrics and charts, a timestamp.
const STATE_BYTES: u64 = 150;
/// What tables of records need besides the records: writers and charts.
const TABLES_BYTES: u64 = 12 * MIB;
/// Tables that are not streamed lie in memory once, and twice where they have to be sorted.
const HELD_BYTES: u64 = 12;

/// Seconds a row and timestamp of the simulation, and a fill with its records and their files.
const ROW_SECONDS: f64 = 2e-8;
const TIMESTAMP_SECONDS: f64 = 1e-6;
const FILL_SECONDS: f64 = 3.5e-6;
/// Metrics, report and folder of the smallest run.
const FOLDER_SECONDS: f64 = 0.04;

/// The size of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub rows: u64,
    pub timestamps: u64,
    /// Columns of a row, the time and the symbol among them.
    pub columns: u64,
    pub context_columns: u64,
    /// Rows of a chunk at most.
    pub chunk_rows: u64,
    /// Values of tables that are held in memory as a whole.
    pub held_values: u64,
    pub fills: u64,
    /// Bytes of orders, fills and what else the log of a run keeps.
    pub record_bytes: u64,
}

impl Size {
    /// The peak of memory, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        let chunks = CHUNKS_ALIVE * self.chunk_rows.min(self.rows) * self.columns * 8;
        let states = self.timestamps * (STATE_BYTES + 16 * self.context_columns);
        let tables =
            if self.record_bytes > 0 { TABLES_BYTES.min(8 * self.record_bytes) } else { 0 };
        // A tenth for growing tables and derived rows.
        let records = self.record_bytes + self.record_bytes / 10;
        BASE_BYTES + chunks + states + tables + records + HELD_BYTES * self.held_values
    }

    /// Seconds of a run that reads its data in `reading` seconds.
    pub fn seconds(&self, reading: f64) -> f64 {
        reading
            + self.rows as f64 * ROW_SECONDS
            + self.timestamps as f64 * TIMESTAMP_SECONDS
            + self.fills as f64 * FILL_SECONDS
            + FOLDER_SECONDS
    }
}

/// The bytes of what a log records beside portfolio states.
pub(super) fn record_bytes(log: &RunLog) -> u64 {
    fn of<T>(rows: &[T]) -> u64 {
        std::mem::size_of_val(rows) as u64
    }
    let exits = log.exit_values.values();
    let exits: u64 = exits.map(|values| of(values) + size_of::<(u32, Box<[f64]>)>() as u64).sum();
    of(&log.orders)
        + of(&log.order_events)
        + of(&log.fills)
        + of(&log.lots)
        + of(&log.rejections)
        + of(&log.order_details)
        + of(&log.fill_costs)
        + of(&log.lot_costs)
        + of(&log.account_events)
        + of(&log.decision_values)
        + exits
}

#[cfg(test)]
mod tests {
    use super::Size;

    /// Peaks of whole runs of the command line, as the system counted them.
    #[test]
    fn memory_when_compared_with_measured_runs_then_within_a_factor_of_two() {
        // rows, timestamps, fills, peak in kB; 500 symbols by day, 25 and 250 by minute
        for (rows, timestamps, fills, peak_kb) in [
            (1_260_000, 2_520, 0, 32_080),
            (1_260_000, 2_520, 48_151, 58_772),
            (2_457_000, 98_280, 0, 46_256),
            (2_457_000, 98_280, 95_953, 79_060),
            (24_570_000, 98_280, 0, 45_516),
            (24_570_000, 98_280, 958_081, 246_876),
        ] {
            // An order, its fill and half a lot.
            let record_bytes = 180 * fills;
            let size = Size {
                rows,
                timestamps,
                fills,
                record_bytes,
                columns: 7,
                chunk_rows: 65_536,
                ..Size::default()
            };
            let ratio = size.memory_bytes() as f64 / (f64::from(peak_kb) * 1024.0);
            assert!((0.5..2.0).contains(&ratio), "{rows} rows, {fills} fills: {ratio:.2}");
        }
    }
}
