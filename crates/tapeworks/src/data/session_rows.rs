//! Bars and their calendar: rows outside what it knows, dates that are no session.

use super::block::Block;
use super::lane::ReadFacts;
use super::ledger::{Ledger, Rule};
use super::report::Severity;
use crate::base::calendar::Calendar;
use crate::base::{Date, Error, Result, Timestamp};

/// Checks the bars of a block.
///
/// # Errors
/// `D311` for a row outside the calendar's span.
pub(crate) fn check(block: &Block, facts: &ReadFacts, ledger: &mut Ledger) -> Result<()> {
    let Some(calendar) = &facts.calendar else { return Ok(()) };
    let file = &facts.files[block.file as usize];
    let mut last = None;
    for i in 0..block.len() {
        let known = block.timestamps[i];
        let date = match last {
            Some((before, date)) if before == known => date,
            _ => {
                let date = date_of(calendar, known, file.is_session).map_err(|error| {
                    let symbol = facts.symbol(block.assets[i]);
                    let text = format!("{} row {} ({symbol})", file.name, block.row(i));
                    let outside = Error::data(error.code(), format!("{text}: {}", error.message()));
                    outside.with_hint(error.hint().unwrap_or_default())
                })?;
                last = Some((known, date));
                date
            }
        };
        if !file.is_session || matches!(calendar.session(date), Ok(Some(_))) {
            continue;
        }
        let rule = Rule {
            severity: Severity::Warning,
            code: "D305",
            column: "timestamp",
            message: "dates that are no session of the calendar; their rows are known at the \
                      midnight that ends them",
            fix: "remove the rows, or name the calendar that the market has",
        };
        ledger.row(&rule, facts.symbol(block.assets[i]), block.place(i), || {
            let text = |session: Option<&crate::base::calendar::Session>| {
                session.map_or_else(|| "none".to_owned(), |session| session.date.to_string())
            };
            let (before, after) = calendar.nearest(date);
            let near = format!("nearest sessions {} and {}", text(before), text(after));
            let mut offender = facts.offender(block, i, format!("date {date}"), &near);
            offender.timestamp = date.to_string();
            offender
        });
    }
    Ok(())
}

/// The date of a row: the one that its stamp named, or that of its session.
fn date_of(calendar: &Calendar, known: i64, is_session: bool) -> Result<Date> {
    // A stamp that named a date was moved to the close or the end of the date: its last instant.
    let inside = if is_session { known.saturating_sub(1) } else { known };
    let date = calendar.session_of(Timestamp(inside))?;
    calendar.session(date)?;
    Ok(date)
}
