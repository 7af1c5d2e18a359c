//! Parquet footers that older readers understand.
//!
//! The writer says of columns of doubles that their bounds follow IEEE 754's total order, a word of
//! the format from 2025 at which polars before 2.0 gives up. Our bounds are the same in either
//! order: missing values are null, so no NaN stands among them. This says "the order of the type",
//! which every reader knows.

use std::io::{self, Write};

/// Bytes that pass at once.
const BLOCK_BYTES: usize = 1 << 16;
/// After the list of orders: the end of the footer, its length, the letters PAR1.
const AFTER_BYTES: usize = 1 + 4 + 4;
/// Before the list at most: its field and its length.
const BEFORE_BYTES: usize = 8;
/// A column's order, as a union with one field: the type's, or IEEE 754's.
const OF_TYPE: [u8; 3] = [0x1C, 0, 0];
const OF_IEEE: [u8; 3] = [0x2C, 0, 0];

/// Lets a Parquet file of flat columns pass and rewrites the orders of its footer.
///
/// The last bytes are held until [`TypeOrder::finish`].
#[derive(Debug)]
pub struct TypeOrder<W: Write> {
    inner: W,
    held: Vec<u8>,
    n_columns: usize,
}

impl<W: Write> TypeOrder<W> {
    /// For a file of `n_columns` columns.
    pub fn new(inner: W, n_columns: usize) -> Self {
        Self { inner, held: Vec::new(), n_columns }
    }

    fn kept_bytes(&self) -> usize {
        BEFORE_BYTES + 3 * self.n_columns + AFTER_BYTES
    }

    /// Writes the footer and gives back what is underneath.
    ///
    /// # Errors
    /// What writing does; `InvalidData` when the footer does not end with the orders.
    pub fn finish(mut self) -> io::Result<W> {
        let orders = self.orders().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the footer does not end with its orders")
        })?;
        for order in self.held[orders].chunks_exact_mut(3) {
            if order == OF_IEEE {
                order.copy_from_slice(&OF_TYPE);
            }
        }
        self.inner.write_all(&self.held)?;
        Ok(self.inner)
    }

    /// Where the orders are among the held bytes.
    fn orders(&self) -> Option<std::ops::Range<usize>> {
        let end = self.held.len().checked_sub(AFTER_BYTES)?;
        let start = end.checked_sub(3 * self.n_columns)?;
        let mut list = self.held[start..end].chunks_exact(3);
        let are_orders = list.all(|order| order == OF_TYPE || order == OF_IEEE);
        // A list of structs: its length in the upper half of a byte, or as a number behind 0xF.
        let mut length = Vec::new();
        match u8::try_from(self.n_columns) {
            Ok(n) if n < 15 => length.push(n << 4 | 0xC),
            _ => {
                length.push(0xFC);
                let mut n = self.n_columns;
                while n >= 0x80 {
                    length.push(u8::try_from(n & 0x7F).ok()? | 0x80);
                    n >>= 7;
                }
                length.push(u8::try_from(n).ok()?);
            }
        }
        (are_orders && self.held[..start].ends_with(&length)).then_some(start..end)
    }
}

impl<W: Write> Write for TypeOrder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        let kept = self.kept_bytes();
        if self.held.len() > kept + BLOCK_BYTES {
            let passed = self.held.len() - kept;
            self.inner.write_all(&self.held[..passed])?;
            self.held.drain(..passed);
        }
        Ok(bytes.len())
    }

    /// The end of the file stays held: it may be the footer.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::ColumnOrder;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    #[test]
    fn footer_when_columns_are_doubles_then_their_order_is_that_of_the_type() {
        for n in [1_usize, 5, 14, 15, 40, 200] {
            let column = |i: usize| -> (String, ArrayRef) {
                let values: ArrayRef = if i % 3 == 1 {
                    Arc::new(Int64Array::from(vec![1, 2, 3]))
                } else {
                    Arc::new(Float64Array::from(vec![Some(1.5), None, Some(-2.5)]))
                };
                (format!("c{i}"), values)
            };
            let batch = RecordBatch::try_from_iter((0..n).map(column)).expect("equal lengths");
            let file = TypeOrder::new(Vec::new(), n);
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("flat");
            for _ in 0..50 {
                writer.write(&batch).expect("memory takes it");
                writer.flush().expect("memory takes it");
            }
            let bytes = writer.into_inner().expect("a footer").finish().expect("its orders");
            let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("whole");
            let facts = reader.metadata().file_metadata();
            assert_eq!(facts.num_rows(), 150);
            for i in 0..n {
                let order = facts.column_order(i);
                assert!(matches!(order, ColumnOrder::TYPE_DEFINED_ORDER(_)), "{n} {i} {order:?}");
            }
        }
    }

    #[test]
    fn footer_when_it_ends_otherwise_then_an_error_and_no_guess() {
        let mut file = TypeOrder::new(Vec::new(), 2);
        file.write_all(&[7; 100]).expect("memory takes it");
        assert_eq!(file.finish().expect_err("no orders").kind(), io::ErrorKind::InvalidData);
    }
}
