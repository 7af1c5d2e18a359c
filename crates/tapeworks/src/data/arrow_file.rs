//! Arrow files and streams on disk (`.arrow`, `.feather`, `.ipc`), as one reader.
//!
//! The frame of every message is checked before it is decoded: the decoder takes buffers of a
//! damaged message at their word.

use std::io::{Cursor, Read};

use arrow::record_batch::RecordBatchReader;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::{Block, MessageHeader, RecordBatch, root_as_footer, root_as_message};

use super::sort_budget::SORT_BYTES;
use super::source::SourceFile;
use crate::base::{Error, ErrorKind, Result};

/// The first and last bytes of an Arrow file; a stream has none.
const MAGIC: &[u8; 6] = b"ARROW1";
/// The length of the footer, and the magic.
const TAIL_BYTES: usize = 10;
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Opens a file of either form; the form is told by its first bytes. It is held in memory.
///
/// # Errors
/// `D102` when the file cannot be read or is damaged, `R101` when it is too large.
pub(crate) fn open(source: &SourceFile) -> Result<Box<dyn RecordBatchReader + Send>> {
    let broken = |fault: &dyn std::fmt::Display| {
        Error::data("D102", format!("{}: cannot be read as Arrow: {fault}", source.name))
            .with_hint("the file is damaged or cut, or its buffers are packed; write it again")
    };
    let mut content = Vec::new();
    let file = std::fs::File::open(&source.path).map_err(|e| broken(&e))?;
    file.take(SORT_BYTES + 1).read_to_end(&mut content).map_err(|e| broken(&e))?;
    if content.len() as u64 > SORT_BYTES {
        let text = format!("{}: more than {SORT_BYTES} bytes", source.name);
        return Err(Error::new(ErrorKind::Resource, "R101", text)
            .with_hint("convert the table to parquet, which is streamed"));
    }
    if content.starts_with(MAGIC) {
        check_file(&content).ok_or_else(|| broken(&"its footer and messages do not fit it"))?;
        let reader = FileReader::try_new(Cursor::new(content), None).map_err(|e| broken(&e))?;
        return Ok(Box::new(reader));
    }
    check_stream(&content).ok_or_else(|| broken(&"its messages do not fit it"))?;
    let reader = StreamReader::try_new(Cursor::new(content), None).map_err(|e| broken(&e))?;
    Ok(Box::new(reader))
}

/// `Some` when every message that the footer names lies in the file.
fn check_file(content: &[u8]) -> Option<()> {
    let tail = content.len().checked_sub(TAIL_BYTES)?;
    let length = i32::from_le_bytes(content[tail..tail + 4].try_into().ok()?);
    let start = tail.checked_sub(usize::try_from(length).ok()?)?;
    let footer = root_as_footer(&content[start..tail]).ok()?;
    let blocks = footer.recordBatches().into_iter().chain(footer.dictionaries());
    blocks.flatten().try_for_each(|block| check_block(content, block))
}

fn check_block(content: &[u8], block: &Block) -> Option<()> {
    let start = usize::try_from(block.offset()).ok()?;
    let meta = start.checked_add(usize::try_from(block.metaDataLength()).ok()?)?;
    let end = meta.checked_add(usize::try_from(block.bodyLength()).ok()?)?;
    let head = content.get(start..meta)?;
    content.get(meta..end)?;
    let skip = if head.starts_with(&CONTINUATION) { 8 } else { 4 };
    check_message(head.get(skip..)?, block.bodyLength())
}

/// `Some` when the messages follow one another to the end.
fn check_stream(mut rest: &[u8]) -> Option<()> {
    while !rest.is_empty() {
        if rest.starts_with(&CONTINUATION) {
            rest = &rest[4..];
        }
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
        if length == 0 {
            break;
        }
        let (head, tail) = tail.split_at_checked(length)?;
        let body = root_as_message(head).ok()?.bodyLength();
        check_message(head, body)?;
        rest = tail.get(usize::try_from(body).ok()?..)?;
    }
    Some(())
}

fn check_message(head: &[u8], body_bytes: i64) -> Option<()> {
    let message = root_as_message(head).ok()?;
    match message.header_type() {
        MessageHeader::RecordBatch => check_batch(&message.header_as_record_batch()?, body_bytes),
        MessageHeader::DictionaryBatch => {
            check_batch(&message.header_as_dictionary_batch()?.data()?, body_bytes)
        }
        _ => Some(()),
    }
}

/// `Some` when the buffers lie in the body, and no column has more rows or nulls than there are.
fn check_batch(batch: &RecordBatch<'_>, body_bytes: i64) -> Option<()> {
    for buffer in batch.buffers()? {
        let (offset, length) = (buffer.offset(), buffer.length());
        let fits = offset >= 0 && length >= 0 && offset.checked_add(length)? <= body_bytes;
        fits.then_some(())?;
    }
    for node in batch.nodes()? {
        (node.length() >= 0 && (0..=node.length()).contains(&node.null_count())).then_some(())?;
    }
    (batch.length() >= 0).then_some(())
}
