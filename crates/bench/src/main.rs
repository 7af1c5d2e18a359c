//! Time and memory of our own code on the standard workloads.
//!
//! ```text
//! tapeworks-bench decode PATH
//! tapeworks-bench run W1|W2|W3|W4s|W4m|W5 PATH [--memory] [--fast] [--rules]
//! ```
//! `decode` walks the feed and drops every chunk. `run` simulates from the file to the run log;
//! with `--memory` the file is decoded first and the median of five simulations is given; with
//! `--fast` a sample of the rows is checked in place of all; with `--rules` every position is
//! watched by a stop, a target and a trail that hardly ever fire. Output is one JSON line: seconds
//! of wall and of CPU (all threads), peak memory of the process, rows a second of wall, and the
//! answer by which the run is checked.

#![expect(clippy::disallowed_types, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod workload;

use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};
use tapeworks::base::{Error, Result};
use tapeworks::data::CheckLevel;
use tapeworks::engine::{EngineConfig, Flow, RunLog, run};
use tapeworks::feed::{ChunkSource, DataFeed};

use workload::Workload;

const USAGE: &str = "usage: tapeworks-bench decode PATH | \
                     run W1|W2|W3|W4s|W4m|W5 PATH [--memory] [--fast] [--rules]";
const N_REPEATS: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["decode", path] => decode(path),
        ["run", name, path, flags @ ..] => simulate_with(name, path, flags),
        _ => Err(Error::config("C101", USAGE)),
    };
    match outcome {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error[TW-{}]: {}", error.code(), error.message());
            ExitCode::from(error.exit_code())
        }
    }
}

fn decode(path: &str) -> Result<Value> {
    let clock = Clock::start();
    let mut feed = workload::every_column(path).open()?;
    let mut n_rows = 0;
    while let Some(chunk) = feed.next_chunk()? {
        n_rows += chunk.n_rows() as u64;
    }
    Ok(clock.figures("decode", n_rows))
}

fn simulate_with(name: &str, path: &str, flags: &[&str]) -> Result<Value> {
    if flags.iter().any(|flag| !["--memory", "--fast", "--rules"].contains(flag)) {
        return Err(Error::config("C101", USAGE));
    }
    let has = |flag| flags.contains(&flag);
    let workload = Workload::find(name)?.with_rules(has("--rules"));
    let clock = Clock::start();
    let mut feed = workload.feed(path);
    if has("--fast") {
        feed.read.level = CheckLevel::Fast;
    }
    if has("--memory") {
        return simulate_memory(&workload, name, feed);
    }
    let log = simulate(&workload, &mut feed.open()?)?;
    let figures = clock.figures(name, log.n_rows);
    Ok(with_answer(figures, &log))
}

fn simulate_memory(workload: &Workload, name: &str, feed: DataFeed) -> Result<Value> {
    let mut feed = feed.open()?.into_memory()?;
    let mut runs = Vec::new();
    for _ in 0..N_REPEATS {
        feed.rewind();
        let clock = Clock::start();
        // One log at a time, so that the peak is that of one run.
        let log = simulate(workload, &mut feed)?;
        let wall = clock.wall.elapsed().as_secs_f64();
        runs.push((wall, with_answer(clock.figures(name, log.n_rows), &log)));
    }
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(runs.swap_remove(N_REPEATS / 2).1)
}

fn simulate(workload: &Workload, feed: &mut dyn ChunkSource) -> Result<RunLog> {
    let mut strategy = workload.strategy(&feed.layout())?;
    let config: EngineConfig = workload.config();
    run(feed, strategy.as_mut(), &config, &mut |_| Flow::Continue)
}

fn with_answer(mut figures: Value, log: &RunLog) -> Value {
    figures["equity"] = json!(log.states.equity.last());
    figures["fills"] = json!(log.fills.len());
    figures
}

/// Wall and CPU since the start.
struct Clock {
    wall: Instant,
    cpu: CpuTime,
}

/// CPU of the whole process in steps of 10 ms, and of this thread in ns.
#[derive(Clone, Copy)]
struct CpuTime {
    process: f64,
    thread: f64,
}

impl CpuTime {
    fn now() -> Self {
        Self {
            process: process_cpu().unwrap_or(f64::NAN),
            thread: thread_cpu().unwrap_or(f64::NAN),
        }
    }
}

impl Clock {
    fn start() -> Self {
        Self { cpu: CpuTime::now(), wall: Instant::now() }
    }

    fn figures(&self, name: &str, n_rows: u64) -> Value {
        let wall = self.wall.elapsed().as_secs_f64();
        let cpu = CpuTime::now();
        json!({
            "workload": name,
            "wall_s": round(wall, 4),
            "cpu_s": round(cpu.process - self.cpu.process, 2),
            "cpu_main_thread_s": round(cpu.thread - self.cpu.thread, 4),
            "peak_rss_mb": peak_rss_mb(),
            "rows": n_rows,
            "rows_per_s": round(n_rows as f64 / wall, 0),
        })
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// User and system time from `/proc/self/stat`, whose ticks are 10 ms on every common Linux.
fn process_cpu() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold blanks: count fields after its bracket.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let user: f64 = fields.nth(11)?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

/// Time of the main thread on a core.
fn thread_cpu() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

fn peak_rss_mb() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(round(kilobytes / 1024.0, 1))
}
