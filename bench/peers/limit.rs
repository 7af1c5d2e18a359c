//! The least a one-thread loop over the bars can cost: workloads `sma` and `idle`, no engine.
//!
//! usage: limit PARQUET_COLUMNS_DIR N_ASSETS CASH WORKLOAD_KIND REPEATS
//!
//! The folder holds open.f64 .. volume.f64, little-endian, row-major [T][N]. Orders fill at the
//! next open, fee 0.1 % of the traded value, one cash account, equity marked at every bar; no
//! order is recorded, nothing is checked. Prints `RESULT {json}`; medians over the repeats.

use std::hint::black_box;
use std::time::Instant;
use std::{env, fs};

const FEE: f64 = 0.001;
const RING: usize = 32;

#[derive(Clone, Copy)]
struct Asset {
    fast: f64,
    slow: f64,
    ring: [f64; RING],
    quantity: f64,
    order: f64,
    above: Option<bool>,
}

struct Columns {
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
}

fn read(folder: &str, column: &str) -> Vec<f64> {
    let bytes = fs::read(format!("{folder}/{column}.f64")).expect("the column can be read");
    bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("eight bytes"))).collect()
}

fn idle(c: &Columns) -> f64 {
    let rows = c.open.iter().zip(&c.high).zip(&c.low).zip(&c.close).zip(&c.volume);
    rows.map(|((((o, h), l), c), v)| o + h - l + c * 1e-3 + v * 1e-9).sum()
}

fn sma(c: &Columns, n: usize, initial: f64) -> (f64, u64) {
    let fresh =
        Asset { fast: 0.0, slow: 0.0, ring: [0.0; RING], quantity: 0.0, order: 0.0, above: None };
    let mut assets = vec![fresh; n];
    let (mut cash, mut fills, mut equity, mut peak, mut drawdown) = (initial, 0, initial, 0.0, 0.0);
    for t in 0..c.close.len() / n {
        let (open, close) = (&c.open[t * n..t * n + n], &c.close[t * n..t * n + n]);
        let mut value = 0.0;
        for (j, asset) in assets.iter_mut().enumerate() {
            if asset.order != 0.0 {
                let quantity = asset.order;
                cash -= quantity * open[j] + FEE * quantity.abs() * open[j];
                asset.quantity += quantity;
                asset.order = 0.0;
                fills += 1;
            }
            let cents = (close[j] * 100.0).round(); // whole cents: the sums are exact
            asset.fast += cents;
            asset.slow += cents;
            if t >= 10 {
                asset.fast -= asset.ring[(t - 10) % RING];
            }
            if t >= 30 {
                asset.slow -= asset.ring[(t - 30) % RING];
            }
            asset.ring[t % RING] = cents;
            if t >= 29 {
                let above = 3.0 * asset.fast > asset.slow;
                match asset.above.replace(above) {
                    Some(false) if above => asset.order = 100.0,
                    Some(true) if !above => asset.order = -asset.quantity,
                    _ => {}
                }
            }
            value += asset.quantity * close[j];
        }
        equity = cash + value;
        peak = f64::max(peak, equity);
        drawdown = f64::max(drawdown, 1.0 - equity / peak);
    }
    black_box(drawdown);
    (equity, fills)
}

/// Seconds this thread has run on a processor; on a busy machine wall time says less.
fn cpu_s() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok());
    ns.unwrap_or(f64::NAN) / 1e9
}

fn main() {
    let argument = |i: usize| env::args().nth(i).expect("five arguments");
    let (folder, kind) = (argument(1), argument(4));
    let n: usize = argument(2).parse().expect("a number of assets");
    let cash: f64 = argument(3).parse().expect("an amount");
    let repeats: usize = argument(5).parse().expect("a number of repeats");
    let began = Instant::now();
    let [open, high, low, close, volume] =
        ["open", "high", "low", "close", "volume"].map(|column| read(&folder, column));
    let columns = Columns { open, high, low, close, volume };
    let load = began.elapsed().as_secs_f64();
    let (mut walls, mut cpus, mut answer) = (Vec::new(), Vec::new(), (cash, 0));
    for _ in 0..repeats {
        let (began, cpu) = (Instant::now(), cpu_s());
        if kind == "sma" {
            answer = sma(&columns, n, cash);
        } else {
            black_box(idle(&columns));
        }
        let wall = began.elapsed().as_secs_f64();
        let cpu = cpu_s() - cpu;
        walls.push(wall);
        cpus.push(if cpu.is_nan() { wall } else { cpu });
    }
    let [wall, cpu] = [walls, cpus].map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    let (equity, fills) = answer;
    println!(
        "RESULT {{\"engine\": \"plain loop, one thread\", \"version\": \"-\", \
         \"load_s\": {load:.4}, \"run_s\": {wall:.5}, \"cpu_s\": {cpu:.5}, \
         \"equity\": {equity:.6}, \"fills\": {fills}}}"
    );
}
