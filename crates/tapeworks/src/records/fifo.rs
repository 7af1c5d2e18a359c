//! The fills of a run paired first in, first out: which units each reducing fill closed.
//!
//! The log pairs at the average price. Pairing lot by lot needs no more than the fills, so it is
//! done after the run and moves no cash: the results of a position add up to the same.

use std::collections::VecDeque;

use super::costs::{LotWalk, SplitWalk, fill_cost, lot_cost};
use crate::broker::{ClosedLot, LotCost, dust};
use crate::engine::RunLog;

/// Units from one opening fill to one reducing fill (or to the end of the run).
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// The units as a lot of their own. `closes_position`: nothing of its opening fill is left.
    pub lot: ClosedLot,
    /// Its other costs.
    pub cost: LotCost,
    /// Whether the excursions and ages of `lot` are those of these units. The log has them for the
    /// units that opened a position, and not for units added later.
    pub has_path: bool,
}

/// What is left of the units of an opening fill.
#[derive(Debug, Clone, Copy)]
struct Open {
    fill: u32,
    units: f64,
    /// Its price, in the units of now.
    price: f64,
    /// Commission, slippage with impact, and impact alone, of the units left.
    costs: [f64; 3],
}

/// What a close takes of an opening fill.
#[derive(Debug, Clone, Copy)]
struct Taken {
    fill: u32,
    units: f64,
    price: f64,
    costs: [f64; 3],
    /// Whether nothing of the fill is left.
    empties: bool,
}

/// Walks the fills and hands out the pieces in fill order, then what is held at the end by symbol.
#[derive(Debug, Clone)]
pub(super) struct FifoWalk {
    next_fill: usize,
    ended: LotWalk,
    splits: SplitWalk,
    /// The next lot that is still held; these stand at the end, by asset.
    next_open: usize,
    open: Vec<VecDeque<Open>>,
    ready: VecDeque<Piece>,
}

impl FifoWalk {
    pub(super) fn new(log: &RunLog) -> Self {
        Self {
            next_fill: 0,
            ended: LotWalk::default(),
            splits: SplitWalk::default(),
            next_open: log.lots.partition_point(|lot| lot.exit_fill.is_some()),
            open: vec![VecDeque::new(); log.symbols.len()],
            ready: VecDeque::new(),
        }
    }

    pub(super) fn next_piece(&mut self, log: &RunLog) -> Option<Piece> {
        while self.ready.is_empty() {
            if self.next_fill < log.fills.len() {
                self.walk_fill(log);
            } else if self.next_open < log.lots.len() {
                let lot = self.next_open;
                self.next_open += 1;
                self.split(log, usize::MAX);
                self.close(log, lot, log.lots[lot].entry_fill as usize);
            } else {
                return None;
            }
        }
        self.ready.pop_front()
    }

    fn walk_fill(&mut self, log: &RunLog) {
        let idx = self.next_fill;
        self.next_fill += 1;
        self.split(log, idx);
        let units = log.fills[idx].quantity.abs();
        let Some(ended) = self.ended.ended_by(log, idx) else {
            return self.open(log, idx, units);
        };
        self.close(log, ended, idx);
        let lot = &log.lots[ended];
        let rest = units - lot.quantity;
        if lot.closes_position && rest > dust(units) {
            self.open(log, idx, rest);
        }
    }

    /// Restates what is open by the splits before a fill.
    fn split(&mut self, log: &RunLog, idx: usize) {
        while let Some((asset, ratio)) = self.splits.before(log, idx) {
            for open in &mut self.open[asset.index()] {
                open.units *= ratio;
                open.price /= ratio;
            }
        }
    }

    fn open(&mut self, log: &RunLog, idx: usize, units: f64) {
        let fill = &log.fills[idx];
        let id = u32::try_from(idx).expect("fewer than 2^32 fills");
        let multiplier = log.instruments.of(fill.asset).multiplier;
        let slippage = (fill.price - fill.base_price) * fill.quantity.signum() * units * multiplier;
        let impact = fill_cost(log, id).impact * units * multiplier;
        let commission = fill.commission * (units / fill.quantity.abs());
        let price = fill.price;
        let open = Open { fill: id, units, price, costs: [commission, slippage, impact] };
        self.open[fill.asset.index()].push_back(open);
    }

    /// Closes the units of a lot of the log (`idx` is a fill of its asset), oldest first.
    fn close(&mut self, log: &RunLog, lot_idx: usize, idx: usize) {
        let lot = &log.lots[lot_idx];
        let cost = lot_cost(log, lot_idx);
        let queue = &mut self.open[log.fills[idx].asset.index()];
        let is_last = lot.closes_position || lot.exit_fill.is_none();
        let mut left = lot.quantity;
        while left > dust(lot.quantity)
            && let Some(front) = queue.front_mut()
        {
            let taken = front.take(left);
            left -= taken.units;
            if taken.empties {
                queue.pop_front();
            }
            self.ready.push_back(piece(log, lot, &cost, &taken));
        }
        if is_last {
            queue.clear();
        }
    }
}

impl Open {
    /// Takes `wanted` units, or what there is. What rounding would leave is taken as well.
    fn take(&mut self, wanted: f64) -> Taken {
        let units = self.units.min(wanted);
        let empties = self.units - units <= dust(self.units);
        let share = if empties { 1.0 } else { units / self.units };
        let costs = self.costs.map(|cost| cost * share);
        self.units -= units;
        for (cost, taken) in self.costs.iter_mut().zip(costs) {
            *cost -= taken;
        }
        Taken { fill: self.fill, units, price: self.price, costs, empties }
    }
}

/// The piece of `lot` that `taken` is.
fn piece(log: &RunLog, lot: &ClosedLot, cost: &LotCost, taken: &Taken) -> Piece {
    let entry = &log.fills[taken.fill as usize];
    let exit_flags = lot.exit_fill.map(|exit| log.fills[exit as usize].flags);
    let [entry_commission, entry_slippage, entry_impact] = taken.costs;
    let of_lot = taken.units / lot.quantity;
    Piece {
        has_path: taken.fill == lot.entry_fill,
        lot: ClosedLot {
            entry_fill: taken.fill,
            quantity: taken.units,
            entry_price: taken.price,
            entry_commission,
            exit_commission: lot.exit_commission * of_lot,
            entry_slippage,
            exit_slippage: lot.exit_slippage * of_lot,
            flags: entry.flags.with(exit_flags.unwrap_or_default()),
            closes_position: taken.empties,
            ..*lot
        },
        cost: LotCost {
            lot: cost.lot,
            entry_impact,
            exit_impact: cost.exit_impact * of_lot,
            funding: cost.funding * of_lot,
            borrow: cost.borrow * of_lot,
            dividends: cost.dividends * of_lot,
        },
    }
}
