//! `tapeworks report`: a finished run, printed again.

use tapeworks::base::Error;
use tapeworks::run::{self, SavedRun};

use crate::args::{Report, ReportFormat};
use crate::terminal::{Outcome, Terminal};

pub fn report(arguments: &Report, terminal: &Terminal) -> Outcome<u8> {
    let saved = run::load(&arguments.run)?;
    let format = if terminal.json { ReportFormat::Json } else { arguments.format };
    match format {
        ReportFormat::Json => terminal.print_json(&saved.metrics)?,
        ReportFormat::Text => terminal.print(&saved.text())?,
        ReportFormat::Md => terminal.print(&saved.markdown())?,
        ReportFormat::Html => terminal.print(&page(&saved)?)?,
    }
    Ok(0)
}

fn page(saved: &SavedRun) -> tapeworks::base::Result<String> {
    let path = saved.path("report").ok_or_else(|| {
        Error::output("W106", format!("{} has no report", saved.folder.display()))
            .with_hint("make the run again without reporting.report: none")
    })?;
    std::fs::read_to_string(&path).map_err(|cause| {
        Error::output("W106", format!("{} cannot be read: {cause}", path.display()))
    })
}
