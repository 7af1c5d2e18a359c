//! Trading calendars: which dates are sessions, and the instants at which they open and close.
//!
//! A session is a date; its open and close are instants, so clock changes, half days and lunch
//! breaks are in them. Built-in calendars are found by name ([`Calendar::named`]), an own one is
//! made of its sessions ([`Calendar::from_sessions`]).
//!
//! - `table`: the calendar and its questions, each O(log n).
//! - `built_in`: the names and the tables that come with the crate.
//! - `rules`: a table's text, rules and exceptions in local time, to sessions.
//! - `session_days`: which day an instant belongs to, with or without a calendar.
//! - `windows`: which window of a length, day, week or month a row falls into.
//!
//! Sources: `oracles/calendars` makes the tables with the package `exchange_calendars` and compares
//! every session. Zones come from the data bundled with jiff; the machine's are never asked.

mod built_in;
mod rules;
mod session_days;
mod table;
mod windows;

pub use session_days::SessionDays;
pub use table::{Calendar, Session};
pub use windows::{Window, Windows};
