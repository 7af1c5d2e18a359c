//! The arguments, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// From market data to a backtest report: point-in-time feeds, an event-driven engine, honest
/// records.
#[derive(Debug, Parser)]
#[command(name = "tapeworks", version, propagate_version = true, arg_required_else_help = true)]
#[command(infer_subcommands = false, subcommand_required = true)]
pub struct Arguments {
    #[command(flatten)]
    pub shared: Shared,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Shared {
    /// Print one JSON document, errors too
    #[arg(long, global = true)]
    pub json: bool,
    /// Say less: no warnings, no hints, no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more: inputs with their hashes, run id, fingerprint
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Show no progress
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Threads to use; results do not depend on it
    #[arg(long, global = true, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the bundled sample: check it, backtest it, write a run folder with a report
    Demo(Demo),
    /// Run a config and write its run folder
    Run(Run),
    /// Join tables point in time into asset data and context data, by the section `prepare`
    Prepare(Prepare),
    /// Check data against every rule
    #[command(subcommand)]
    Check(Check),
    /// Describe a table: rows, symbols, span, columns
    Info(Info),
    /// Write a table by timestamp and symbol, in bounded memory
    Sort(Sort),
    /// Print a finished run again
    Report(Report),
    /// Configs: schema, resolved values, a starter
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub struct Demo {
    /// The run folder
    #[arg(long, value_name = "DIR", default_value = "runs/demo")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct Run {
    /// A .yaml, .toml or .json config
    pub config: PathBuf,
    /// The run folder [default: reporting.directory, else runs/<name>-<hash8>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Override a value, such as execution.commission.bps=1; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Read and check everything, estimate rows, orders, memory and time, write nothing
    #[arg(long = "dry-run")]
    pub preview: bool,
}

#[derive(Debug, Args)]
pub struct Prepare {
    /// A .yaml, .toml or .json config with a section `prepare`
    pub config: PathBuf,
    /// Override a value, such as prepare.compression=snappy; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Write the result although it does not pass the checks; exits with 3
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Subcommand)]
pub enum Check {
    /// Check a table; exits with 3 when a row breaks a rule
    Data(CheckData),
}

#[derive(Debug, Args)]
pub struct CheckData {
    /// A file, a glob or a folder
    pub src: String,
    /// How much is checked
    #[arg(long, value_enum, default_value_t = Level::Standard)]
    pub level: Level,
    /// What the table holds
    #[arg(long, value_enum, default_value_t = Kind::Bars)]
    pub kind: Kind,
    /// The bars that a table of signals or actions (or context) goes with
    #[arg(long, value_name = "SRC", required_if_eq_any([("kind", "signals"), ("kind", "actions")]))]
    pub bars: Option<String>,
    /// When the rows of signals are known
    #[arg(long, value_name = "MODE", default_value = "timestamp")]
    #[arg(value_parser = ["timestamp", "market_open", "market_close", "next_day"])]
    pub available_at: String,
    /// Added to the moment at which a row of signals is known, such as 15m or 1session
    #[arg(long, value_name = "LAG")]
    pub delay: Option<String>,
    /// The greatest age of a signal that is used, such as 5d [default: five usual steps]
    #[arg(long, value_name = "LAG")]
    pub staleness: Option<String>,
    /// Prices at or below 0 are prices, as of spreads and some futures
    #[arg(long)]
    pub allow_negative: bool,
    /// Warnings count as findings too
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub reading: Reading,
}

/// How a table is read.
#[derive(Debug, Clone, Args)]
pub struct Reading {
    /// Zone of times that name none, an IANA name [default: UTC, with a note]
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Trading calendar of the market (XNYS, XLON, CMES, 24/7, ...), or a file of session, open and
    /// close: dates name its sessions
    #[arg(long, value_name = "NAME|FILE")]
    pub calendar: Option<String>,
    /// Zone of the times and dates of a calendar file, an IANA name
    #[arg(long, value_name = "ZONE", requires = "calendar")]
    pub calendar_tz: Option<String>,
    /// What the stamps of bars name [default: ends; with a calendar dates name sessions]
    #[arg(long, value_parser = ["end", "start", "session"])]
    pub label: Option<String>,
    /// Which instant a local time names that the clock shows twice [default: told by the order]
    #[arg(long, value_parser = ["first", "second"])]
    pub ambiguous: Option<String>,
    /// Spacing of the rows of a symbol (1m, 1d, 1w), for --label start [default: told by the rows]
    #[arg(long, value_name = "STEP")]
    pub frequency: Option<String>,
    /// Only these symbols
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub symbols: Option<Vec<String>>,
    /// Column names of CSV files without a header
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub csv_columns: Option<Vec<String>>,
    /// The character between the fields of CSV files [default: found, ';' only when named]
    #[arg(long, value_name = "C")]
    pub csv_delimiter: Option<char>,
    /// Factor from the price unit of CSV files to currency
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub price_scale: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    Fast,
    Standard,
    Paranoid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Bars,
    Signals,
    Context,
    Actions,
}

#[derive(Debug, Args)]
pub struct Info {
    /// A file, a glob or a folder
    pub src: String,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Debug, Args)]
pub struct Sort {
    /// A file, a glob or a folder
    pub src: String,
    /// The parquet file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Bytes of rows held at once, such as 256MB
    #[arg(long, value_name = "SIZE", default_value = "256MB")]
    pub memory: String,
    /// Zone of times that name none, an IANA name [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
}

#[derive(Debug, Args)]
pub struct Report {
    /// A run folder
    pub run: PathBuf,
    /// What is printed; html is the whole page
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Text,
    Html,
    Json,
    Md,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the JSON Schema of configs
    Schema,
    /// Print a config with every default written out
    Show(ConfigShow),
    /// Write a commented config that runs on the bundled sample; without PATH, print it
    Init(ConfigInit),
}

#[derive(Debug, Args)]
pub struct ConfigShow {
    /// A .yaml, .toml or .json config
    pub config: PathBuf,
    /// Say for each key where its value comes from
    #[arg(long)]
    pub origin: bool,
    /// Override a value; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ConfigInit {
    /// Where to write it
    pub path: Option<PathBuf>,
}
