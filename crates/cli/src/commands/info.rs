//! `tapeworks info`: what a table holds.

use serde_json::json;
use tapeworks::base::Timestamp;
use tapeworks::data::{self, Source};

use super::check::read_options;
use crate::args::Info;
use crate::terminal::{Outcome, Terminal};

pub fn info(arguments: &Info, terminal: &Terminal) -> Outcome<u8> {
    let options = read_options(&arguments.reading)?;
    let info = data::describe(Source::Path(arguments.src.clone()), &options)?;
    if terminal.json {
        let mut document = json!(info);
        document["span"] =
            json!(info.span.map(|(first, last)| {
                [Timestamp(first).to_string(), Timestamp(last).to_string()]
            }));
        terminal.print_json(&document)?;
    } else {
        terminal.print(&info.to_string())?;
    }
    Ok(0)
}
