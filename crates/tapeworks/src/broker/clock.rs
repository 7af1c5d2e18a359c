//! What the passing of time does: sessions, expiries, settlements, capital flows.

use std::sync::Arc;

use super::bar::Quotes;
use super::codes::{ExpireReason, TimeInForce};
use super::commission::Traded;
use super::cycle::Broker;
use super::ledger::{AccountEvent, AccountEventKind};
use super::semantics::FundingAt;
use crate::base::calendar::SessionDays;
use crate::base::{Calendar, Date, Timestamp};

impl Broker {
    /// Moves the clock. Orders submitted from now on belong to `now`.
    ///
    /// Before anything of the row happens, orders run out of time, proceeds settle, capital comes
    /// in or goes out, and the costs of the time since the last row are paid.
    pub fn begin(&mut self, now: i64, quotes: &impl Quotes) {
        let is_first = self.now == i64::MIN || self.session == 0;
        let date = self.days.date(now);
        let is_new_session = is_first || date != self.date;
        self.date = date;
        self.previous = self.now;
        self.now = now;
        self.enlarged.clear();
        self.closed_by_rule.clear();
        self.triggered_inside.clear();
        self.row_is_over = false;
        for asset in self.used_assets.drain(..) {
            self.used[asset as usize] = 0.0;
        }
        if is_new_session {
            self.start_session();
        } else {
            self.is_intraday = true;
        }
        self.rows_in_session += 1;
        if self.live.has_rare() {
            self.expire_by_clock();
        }
        self.pay_funding(false);
        self.rescales.clear();
        if is_new_session {
            self.apply_actions(is_first, quotes);
        }
        if !self.conditions.schedule.flows.is_empty() {
            self.apply_flows();
        }
        if self.conditions.semantics.funding_at == FundingAt::BeforeFills {
            self.pay_funding_at(|_, asset| quotes.bar(asset).map(|bar| bar.close));
        }
    }

    /// Counts the sessions of a market in place of UTC days.
    pub fn follow(&mut self, calendar: Option<Arc<Calendar>>) {
        self.days = SessionDays::new(calendar);
    }

    /// The date of the present session.
    #[must_use]
    pub fn session_date(&self) -> Date {
        self.date
    }

    /// Sets the clock before the first row.
    pub fn start(&mut self, before: i64) {
        self.now = before;
        self.accrued_at = before.saturating_add(1);
    }

    fn start_session(&mut self) {
        self.session += 1;
        self.rows_in_session = 0;
        self.session_orders = 0;
        if !self.settlements.is_empty() {
            self.settlements.release(self.session);
            self.account.unsettled = self.settlements.total();
        }
        let month = month_of(self.now);
        if month != self.month.0 {
            self.month = (month, Traded::default());
        }
        self.pay_borrow_and_interest();
    }

    /// Ends `day` orders of earlier sessions and `gtd` orders past their date.
    fn expire_by_clock(&mut self) {
        let (now, session) = (self.now, self.session);
        for place in 0..self.live.len() {
            if self.live.at(place).is_done {
                continue;
            }
            let Some(rare) = self.live.rare_mut(place) else { continue };
            let reason = match rare.tif {
                // Its session is that of the first timestamp after it was sent.
                TimeInForce::Day if rare.session == 0 => {
                    rare.session = session;
                    continue;
                }
                TimeInForce::Day if rare.session != session => ExpireReason::DayEnd,
                TimeInForce::Gtd(date) if date < now => ExpireReason::GtdPassed,
                _ => continue,
            };
            self.expire_at(place, reason);
        }
        self.live.sweep();
    }

    fn apply_flows(&mut self) {
        while let Some(flow) = self.conditions.schedule.flows.get(self.next_flow) {
            if flow.timestamp > self.now {
                return;
            }
            let amount = flow.amount;
            self.next_flow += 1;
            self.account.cash += amount;
            self.account.flows += amount;
            self.free_cash.add(amount);
            self.push_account_event(AccountEventKind::Flow, None, amount);
        }
    }

    pub(super) fn push_account_event(
        &mut self,
        kind: AccountEventKind,
        asset: Option<crate::base::AssetId>,
        amount: f64,
    ) {
        let fills_before = u32::try_from(self.ledger.fills.len()).expect("fewer than 2^32 fills");
        self.ledger.account_events.push(AccountEvent {
            timestamp: self.now,
            kind,
            asset,
            amount,
            fills_before,
        });
    }
}

/// The calendar month (UTC) of an instant, counted from year 0.
fn month_of(ns: i64) -> i64 {
    let (year, month, _) = Timestamp(ns).utc_date();
    i64::from(year) * 12 + i64::from(month)
}
