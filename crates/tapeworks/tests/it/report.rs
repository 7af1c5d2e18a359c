//! Room `report`: the page, the text and the JSON of runs made here, fill by fill.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its input has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use tapeworks::base::time::DAY_NS;
use tapeworks::base::{AssetId, OrderId, Symbols, Timestamp};
use tapeworks::broker::{
    AccountEventKind, ExitReason, ExpireReason, FillFlags, OrderKind, OrderOrigin, Phase,
    RejectCode,
};
use tapeworks::engine::{
    ClosedLot, FillRow, OrderEventKind, OrderRow, OrderStatus, RejectionRow, RunLog, States,
};
use tapeworks::feed::Layout;
use tapeworks::metrics::{self, Conventions};
use tapeworks::records::Records;
use tapeworks::report::{self, InputFact, ReportInput, RunFacts};

use crate::run_log::{LogBuilder, contracts};

/// An account that trades at prices the test gives, and the log it leaves.
struct Account {
    log: RunLog,
    cash: f64,
    fees: f64,
    /// Asset to (entry fill, units, entry price, commission, slippage, rows held).
    held: BTreeMap<u32, (u32, f64, f64, f64, f64, u32)>,
    commission: f64,
    slippage: f64,
}

impl Account {
    fn new(symbols: &[&str], cash: f64, commission_bps: f64, slippage_bps: f64) -> Self {
        let log = RunLog {
            symbols: Arc::new(Symbols::new(symbols.iter().copied())),
            layout: Arc::new(Layout { signals: vec!["score".into()], ..Layout::default() }),
            initial_cash: cash,
            orders: Vec::new(),
            order_events: Vec::new(),
            fills: Vec::new(),
            lots: Vec::new(),
            rejections: Vec::new(),
            decision_values: Vec::new(),
            states: States::default(),
            tags: vec!["".into()],
            n_rows: 0,
            n_untradable_rows: 0,
            notes: Vec::new(),
            ..RunLog::default()
        };
        let (commission, slippage) = (commission_bps / 1e4, slippage_bps / 1e4);
        Self { log, cash, fees: 0.0, held: BTreeMap::new(), commission, slippage }
    }

    fn order(&mut self, time: i64, asset: u32, quantity: f64, status: OrderStatus) -> OrderId {
        self.log.orders.push(OrderRow {
            created: time,
            quantity,
            limit: f64::NAN,
            stop: f64::NAN,
            filled: if status == OrderStatus::Filled { quantity } else { 0.0 },
            asset: AssetId(asset),
            tag: 0,
            kind: OrderKind::Market,
            origin: OrderOrigin::Strategy,
            reason: ExitReason::Signal,
            reduce_only: false,
            status,
        });
        self.log.decision_values.push(0.5);
        OrderId(u32::try_from(self.log.orders.len() - 1).unwrap())
    }

    fn refuse(&mut self, time: i64, asset: u32, code: RejectCode, need: f64, have: f64) {
        let order = self.order(time, asset, need, OrderStatus::Rejected(code));
        self.log.rejections.push(RejectionRow { timestamp: time, order, code, need, have });
    }

    fn fill(&mut self, time: i64, asset: u32, quantity: f64, base: f64, reason: ExitReason) {
        let order = self.order(time, asset, quantity, OrderStatus::Filled);
        let price = base * (1.0 + self.slippage * quantity.signum());
        let commission = price * quantity.abs() * self.commission;
        self.cash -= quantity * price + commission;
        self.fees += commission;
        let is_rule = reason != ExitReason::Signal;
        self.log.fills.push(FillRow {
            timestamp: time,
            quantity,
            base_price: base,
            price,
            commission,
            order,
            asset: AssetId(asset),
            phase: if is_rule { Phase::Inside } else { Phase::Open },
            reason,
            flags: if is_rule && order.0.is_multiple_of(7) {
                FillFlags::AMBIGUOUS
            } else {
                FillFlags(0)
            },
        });
        let fill = u32::try_from(self.log.fills.len() - 1).unwrap();
        let slippage = (price - base) * quantity;
        if quantity > 0.0 {
            self.held.insert(asset, (fill, quantity, price, commission, slippage, 0));
        } else {
            let (entry_fill, units, entry_price, fee, slip, bars) =
                self.held.remove(&asset).unwrap();
            let (best, worst) = (price.max(entry_price) * 1.01, price.min(entry_price) * 0.99);
            self.log.lots.push(ClosedLot {
                exit_fill: Some(fill),
                entry_fill,
                quantity: units,
                side: 1.0,
                entry_price,
                exit_price: price,
                entry_commission: fee,
                exit_commission: commission,
                entry_slippage: slip,
                exit_slippage: slippage,
                best,
                worst,
                stop_level: f64::NAN,
                target_level: f64::NAN,
                exit_timestamp: time,
                bars_held: bars,
                bars_to_best: bars,
                bars_to_worst: 0,
                flags: FillFlags(0),
                reason,
                closes_position: true,
            });
        }
    }

    fn snapshot(&mut self, time: i64, marks: &[f64]) {
        let value: f64 = self.held.iter().map(|(a, h)| h.1 * marks[*a as usize]).sum();
        for position in self.held.values_mut() {
            position.5 += 1;
        }
        let states = &mut self.log.states;
        states.timestamp.push(time);
        states.equity.push(self.cash + value);
        states.cash.push(self.cash);
        states.positions_value.push(value);
        states.gross_exposure.push(value);
        states.fees.push(self.fees);
        states.n_stale.push(0);
        states.n_positions.push(u32::try_from(self.held.len()).unwrap());
        self.log.n_rows += marks.len() as u64;
    }

    fn finish(mut self, marks: &[f64]) -> Records {
        let end = self.log.states.timestamp.last().copied().unwrap_or(0);
        for (asset, (entry_fill, units, entry_price, fee, slip, bars)) in self.held {
            let mark = marks[asset as usize];
            self.log.lots.push(ClosedLot {
                exit_fill: None,
                entry_fill,
                quantity: units,
                side: 1.0,
                entry_price,
                exit_price: mark,
                entry_commission: fee,
                exit_commission: 0.0,
                entry_slippage: slip,
                exit_slippage: 0.0,
                best: mark.max(entry_price),
                worst: mark.min(entry_price),
                stop_level: f64::NAN,
                target_level: f64::NAN,
                exit_timestamp: end,
                bars_held: bars,
                bars_to_best: 0,
                bars_to_worst: 0,
                flags: FillFlags(0),
                reason: ExitReason::EndOfRun,
                closes_position: false,
            });
        }
        Records::new(self.log)
    }
}

fn ns(text: &str) -> i64 {
    Timestamp::parse(text, &jiff::tz::TimeZone::UTC).unwrap().0
}

/// Two symbols, three days, one trade won, one still open, one order refused. By hand: buy 10 A at
/// 100 for a fee of 1 (10 bps), sell at 110 for 1.10, buy 5 B at 40 for 0.20, marked at 38.
fn small_run(symbols: &[&str]) -> Records {
    let days = [ns("2024-01-30"), ns("2024-01-31"), ns("2024-02-01")];
    let mut account = Account::new(symbols, 10_000.0, 10.0, 0.0);
    account.fill(days[0], 0, 10.0, 100.0, ExitReason::Signal);
    account.snapshot(days[0], &[101.0, 41.0]);
    account.fill(days[1], 0, -10.0, 110.0, ExitReason::TakeProfit);
    account.fill(days[1], 1, 5.0, 40.0, ExitReason::Signal);
    account.snapshot(days[1], &[110.0, 40.0]);
    account.refuse(days[2], 0, RejectCode::InsufficientCash, 20_000.0, 10_897.7);
    account.snapshot(days[2], &[111.0, 38.0]);
    account.finish(&[111.0, 38.0])
}

fn random(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// A run over random walks: `n_times` timestamps, `n_symbols` symbols, entries and exits by chance.
fn random_run(n_times: usize, n_symbols: usize, step_ns: i64, turnover: f64) -> Records {
    let names: Vec<String> = (0..n_symbols).map(|i| format!("S{i:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // shorter bars move less, and cost less, so that equity lives to the end
    let scale = (step_ns as f64 / DAY_NS as f64).sqrt();
    let mut account = Account::new(&names, 1_000_000.0, 5.0 * scale, 2.0 * scale);
    let mut seed = 0x9E37_79B9_7F4A_7C15;
    let mut marks = vec![100.0; n_symbols];
    let start = ns("2015-01-02");
    let mut time = start;
    for _ in 0..n_times {
        time += step_ns;
        while step_ns == DAY_NS && (time / DAY_NS + 4) % 7 % 6 == 0 {
            time += DAY_NS;
        }
        let market = (random(&mut seed) - 0.487) * 0.026 * scale;
        for (asset, mark) in marks.iter_mut().enumerate() {
            *mark *= 1.0 + market + (random(&mut seed) - 0.495) * 0.03 * scale;
            if random(&mut seed) > turnover {
                continue;
            }
            let id = u32::try_from(asset).unwrap();
            if let Some(held) = account.held.get(&id) {
                let (units, change) = (held.1, *mark / held.2 - 1.0);
                let reason = match change {
                    c if c < -0.03 => ExitReason::StopLoss,
                    c if c > 0.06 => ExitReason::TakeProfit,
                    _ => ExitReason::Signal,
                };
                account.fill(time, id, -units, *mark, reason);
            } else {
                let equity = account.log.states.equity.last().copied().unwrap_or(1_000_000.0);
                let budget = 0.98 * equity / n_symbols as f64;
                let units = (budget / *mark).floor();
                if account.cash > budget * 1.01 && units > 0.0 {
                    account.fill(time, id, units, *mark, ExitReason::Signal);
                } else {
                    account.refuse(time, id, RejectCode::InsufficientCash, budget, account.cash);
                }
            }
        }
        account.snapshot(time, &marks);
    }
    account.finish(&marks)
}

fn facts() -> RunFacts {
    RunFacts {
        name: "walk-40".into(),
        strategy: "sma_cross(fast 20, slow 50, quantity 100)".into(),
        semantics: "realistic".into(),
        account: "cash".into(),
        cash: 1_000_000.0,
        currency: "USD".into(),
        costs: "commission 5 bps, slippage 2 bps".into(),
        config_yaml: "backtest:\n  name: walk-40\n  initial_capital: 1000000\nexecution:\n  \
                      semantics: realistic\n  commission: {kind: percent, bps: 5}\n"
            .into(),
        data: vec!["asset data: bars/*.parquet, 100,800 rows, 40 symbols".into()],
        checks: vec!["0 errors, 1 warning in 100,800 rows".into()],
        repairs: vec!["3 rows dropped: low above open".into()],
        warnings: vec!["times without a zone were read as UTC".into()],
        versions: vec![("tapeworks".into(), "0.1.0".into())],
        inputs: vec![InputFact {
            path: "bars/2015.parquet".into(),
            fingerprint: "5f2c7f1e0a9b44d1".into(),
            bytes: 4_812_331,
            rows: 100_800,
        }],
        data_fingerprint: "b3:5f2c7f1e0a9b44d1".into(),
        run_id: "8c1d2e77".into(),
        ..RunFacts::default()
    }
}

fn with_input<T>(records: &Records, facts: RunFacts, read: impl Fn(&ReportInput<'_>) -> T) -> T {
    let metrics = metrics::compute(records, &Conventions::default());
    read(&ReportInput { records, metrics: &metrics, facts })
}

fn page(records: &Records, facts: RunFacts) -> String {
    with_input(records, facts, |input| report::html(input).unwrap())
}

/// The JSON the page's script reads.
fn embedded(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("id=\"report-data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn column(text: &serde_json::Value) -> usize {
    // four letters of base64 are three bytes; padding letters carry none
    let text = text.as_str().unwrap();
    text.len() / 4 * 3 - text.bytes().filter(|b| *b == b'=').count()
}

#[test]
fn json_when_run_is_small_then_every_number_is_as_by_hand() {
    let records = small_run(&["A", "B"]);
    let json = with_input(&records, facts(), report::json);
    let sections = &json["sections"];
    assert_eq!(json["schema_version"], 1);
    assert_eq!(sections["head"]["orders"], "4 orders: 3 filled; refused: insufficient_cash 1");
    assert_eq!(sections["head"]["window"], "2024-01-30 to 2024-02-01");
    // fees 1 + 1.1 + 0.2; equity 10,000 + 100 - 2.1 - 0.2 - 10
    let costs = &sections["costs"];
    let near = |value: &serde_json::Value, expected: f64| {
        let value = value.as_f64().unwrap();
        assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
    };
    near(&costs["commission"], 2.3);
    near(&costs["slippage"], 0.0);
    near(&costs["net"], 87.7);
    near(&costs["gross"], 90.0);
    near(&costs["traded"], 2_300.0);
    // 31 January ends at 10,000 + 100 - 2.3 = 10,097.7
    let year = &sections["returns"]["years"][0];
    near(&year["months"][0]["value"], 0.009_77);
    near(&year["months"][1]["value"], 10_087.7 / 10_097.7 - 1.0);
    near(&year["total"], 0.008_77);
    assert!(year["months"][2].is_null());
    near(&sections["drawdowns"]["deepest"], 10_087.7 / 10_097.7 - 1.0);
    let trades = &sections["trades"];
    assert_eq!((&trades["n"], &trades["n_open"]), (&2.into(), &1.into()));
    let reasons: Vec<_> = trades["reasons"].as_array().unwrap().iter().collect();
    assert_eq!(reasons[0]["name"], "take_profit");
    near(&reasons[0]["pnl_net"], 97.9);
    near(&reasons[1]["pnl_net"], -10.2);
    let refused = &sections["orders"]["rejections"][0];
    assert_eq!(refused["examples"][0]["symbol"], "A");
    assert_eq!(refused["examples"][0]["have"], 10_897.7);
}

#[test]
fn costs_when_of_every_kind_then_the_bridge_has_a_step_each_and_adds_up() {
    let mut builder = contracts();
    builder.interest(2 * DAY_NS, -2.0);
    builder.flow(2 * DAY_NS, 500.0);
    builder.state(3 * DAY_NS, &[]);
    let records = builder.finish();
    let facts = RunFacts { costs: String::new(), ..facts() };
    let json = with_input(&records, facts.clone(), report::json);
    let costs = &json["sections"]["costs"];
    let steps: Vec<(&str, f64)> = costs["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["name"].as_str().unwrap(), step["amount"].as_f64().unwrap()))
        .collect();
    // 142 earned less 2 of interest, after 38 of costs.
    let wanted = [
        ("Gross P&L", 180.0),
        ("Commission", -4.0),
        ("Slippage", -10.0),
        ("Stop slippage", -10.0),
        ("Impact", -10.0),
        ("Funding", -4.0),
        ("Interest", -2.0),
        ("Net P&L", 140.0),
    ];
    assert_eq!(steps, wanted);
    assert_eq!(costs["not_charged"], serde_json::json!(["borrowing"]));
    assert_eq!(costs["is_free"], false);
    let charged = "commission, slippage, stop slippage, impact, funding, interest";
    assert_eq!(json["sections"]["head"]["costs"], charged);
    let page = page(&records, facts.clone());
    assert!(!page.contains("costs: NONE"));
    let text = with_input(&records, facts, report::text);
    let line = "gross 180.00, commission -4.00, slippage -10.00, stop slippage -10.00, impact";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("500.00 USD put in, no part of returns"), "{text}");
    // Without any cost the report says so, however the account is kept.
    let mut free = LogBuilder::new(&["A"], 100.0);
    free.state(0, &[]);
    let facts = RunFacts { costs: String::new(), ..self::facts() };
    let json = with_input(&free.finish(), facts, report::json);
    assert_eq!(json["sections"]["head"]["costs"], "NONE");
    assert_eq!(json["sections"]["costs"]["is_free"], true);
}

#[test]
fn account_when_called_and_limited_then_listed_and_said_in_every_form() {
    let mut builder = contracts();
    builder.account_event(DAY_NS, AccountEventKind::MarginCall, None, 120.5);
    builder.account_event(DAY_NS, AccountEventKind::LimitBreach, Some(0), 0.25);
    builder.account_event(2 * DAY_NS, AccountEventKind::MarginCall, None, 80.0);
    let order = builder.order(2 * DAY_NS, 0, 1.0);
    let expired = OrderEventKind::Expired(ExpireReason::DayEnd);
    builder.event(2 * DAY_NS, order, expired, f64::NAN);
    let refused = builder.order(2 * DAY_NS, 0, 1.0);
    let rejected = OrderEventKind::Rejected(RejectCode::MarginCallActive);
    builder.event(2 * DAY_NS, refused, rejected, f64::NAN);
    let records = builder.finish();
    let json = with_input(&records, facts(), report::json);
    let sections = &json["sections"];
    let account = &sections["account"];
    assert_eq!(sections["head"]["account_alarm"], "2 margin calls, 1 limit breach");
    assert_eq!((&account["n"], &account["n_notable"]), (&5.into(), &3.into()));
    assert_eq!(account["kinds"][0]["kind"], "funding");
    assert_eq!(account["kinds"][0]["sum"], -4.0);
    assert!(account["kinds"][2]["sum"].is_null());
    assert_eq!(account["listed"][1]["symbol"], "F");
    assert_eq!(account["listed"][2]["amount"], 80.0);
    let orders = &sections["orders"];
    assert!(orders["line"].as_str().unwrap().contains("1 expired (day_end)"));
    let n: u64 =
        orders["outcomes"].as_array().unwrap().iter().map(|o| o["n"].as_u64().unwrap()).sum();
    assert_eq!(n, 4);
    let hint = tapeworks::records::hint(RejectCode::MarginCallActive);
    assert_eq!(orders["rejections"][0]["hint"], hint);
    let page = page(&records, facts());
    for text in ["2 margin calls, 1 limit breach", "expired: day end", hint] {
        assert!(page.contains(text), "{text}");
    }
    let text = with_input(&records, facts(), report::text);
    assert!(text.contains("account     2 margin calls, 1 limit breach"), "{text}");
}

#[test]
fn sections_when_run_is_small_then_json_is_as_snapshotted() {
    let records = small_run(&["A", "B"]);
    let json = with_input(&records, facts(), report::json);
    for section in report::SECTIONS.iter().filter(|s| !["overview", "figures"].contains(&s.key)) {
        insta::assert_yaml_snapshot!(
            format!("report_{}", section.key),
            json["sections"][section.key]
        );
    }
}

#[test]
fn page_when_made_then_it_refers_to_nothing_outside() {
    let page = page(&random_run(300, 5, DAY_NS, 0.1), facts());
    for scheme in ["http:", "https:", "//cdn", "@import", "import("] {
        assert!(!page.contains(scheme), "{scheme}");
    }
    for (attribute, allowed) in
        [("src=\"", &[][..]), ("href=\"", &["#", "data:,"][..]), ("url(", &[][..])]
    {
        for (at, _) in page.match_indices(attribute) {
            let rest = &page[at + attribute.len()..];
            assert!(allowed.iter().any(|a| rest.starts_with(a)), "{}", &page[at..at + 40]);
        }
    }
    assert!(page.contains("Copyright (c)"), "the charting script keeps its licence");
}

#[test]
fn page_when_symbols_and_names_hold_markup_then_they_stay_text() {
    let evil = "<script>alert(1)</script>";
    let mut facts = facts();
    facts.name = "<svg class=\"drawn\"><img src=x onerror=alert(2)>".into();
    facts.currency = "</text><script>".into();
    facts.strategy = format!("a & b {evil}");
    facts.unverified[0].text = "\"><script>".into();
    facts.config_yaml = "</pre><script>".into();
    let page = page(&small_run(&[evil, "\u{2028}B</script>"]), facts);
    // the page's own three script elements and no other
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script").count(), 3);
    assert!(!page.contains("<img"));
    assert_eq!(embedded(&page)["trades"]["symbols"][0], evil);
    assert!(page.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn page_when_run_is_large_then_small_and_counts_equal_the_records() {
    // a bar a minute: more timestamps than are drawn, more trades than are listed
    let records = random_run(98_280, 2, 60_000_000_000, 0.08);
    let n_trades = records.n_trades();
    assert!(n_trades > 4_000);
    let page = page(&records, facts());
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    let data = embedded(&page);
    assert_eq!(data["trades"]["id"].as_array().unwrap().len(), 2_000);
    let drawn = column(&data["overview"]["equity"]) / 4;
    assert!((1_000..=4_000).contains(&drawn), "{drawn}");
    assert_eq!(column(&data["overview"]["seconds"]) / 8, drawn);
    let json = with_input(&records, facts(), report::json);
    let sections = &json["sections"];
    assert_eq!(sections["trades"]["n"], n_trades);
    let count = |rows: &serde_json::Value| -> u64 {
        rows.as_array().unwrap().iter().map(|r| r["n"].as_u64().unwrap()).sum()
    };
    assert_eq!(count(&sections["trades"]["reasons"]), n_trades as u64);
    assert_eq!(count(&sections["orders"]["outcomes"]), records.log().orders.len() as u64);
    assert_eq!(sections["head"]["n_rejected"], records.rejections().len());
    let states = records.states();
    let net = states.equity.last().unwrap() - records.initial_cash();
    let total: f64 = records.trades().map(|t| t.pnl_net).sum();
    assert!((net - total).abs() < 1e-6 * net.abs().max(1.0), "trades add up to the equity");
}

#[test]
fn page_when_nothing_traded_then_says_what_led_to_it() {
    let day = ns("2024-01-30");
    let mut refused = Account::new(&["A"], 100.0, 0.0, 0.0);
    for _ in 0..37 {
        refused.refuse(day, 0, RejectCode::QuantityZero, 1.0, 0.4);
    }
    refused.snapshot(day, &[250.0]);
    let records = refused.finish(&[250.0]);
    let facts = RunFacts { costs: String::new(), ..facts() };
    let page = page(&records, facts.clone());
    assert!(page.contains("signals score; orders 37; filled 0; refused 37: quantity_zero 37"));
    assert!(page.contains("costs: NONE"));
    let text = with_input(&records, facts.clone(), report::text);
    assert!(text.contains("37 orders: 0 filled; refused: quantity_zero 37"), "{text}");
    assert!(text.contains("NONE"));

    let empty = Account::new(&[], 100.0, 0.0, 0.0).finish(&[]);
    let page = self::page(&empty, facts.clone());
    assert!(page.contains("no rows") && page.contains("The strategy sent no orders"));
    assert!(with_input(&empty, facts, report::text).starts_with("walk-40: "));
}

#[test]
fn text_and_markdown_when_made_then_fit_a_screen_and_hold_the_verdict() {
    let records = random_run(600, 8, DAY_NS, 0.05);
    let mut facts = facts();
    facts.strategy = "x".repeat(300);
    facts.repairs = vec!["line\nbreak".into()];
    let text = with_input(&records, facts.clone(), report::text);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() <= 28, "{text}");
    assert!(lines.iter().all(|line| line.chars().count() <= 100), "{text}");
    assert!(lines[0].starts_with("walk-40: ") && lines[0].contains("Sharpe"), "{text}");
    let markdown = with_input(&records, facts, report::markdown);
    assert!(markdown.starts_with("# walk-40\n"));
    for heading in ["## Metrics", "## Years", "## Exits", "## Not verified"] {
        assert!(markdown.contains(heading), "{heading}");
    }
    let widths: Vec<_> = markdown
        .split("\n\n")
        .filter(|block| block.starts_with('|'))
        .map(|table| table.lines().map(|l| l.matches(" | ").count()).collect::<Vec<_>>())
        .collect();
    assert!(widths.iter().all(|rows| rows.iter().all(|n| n == &rows[0])), "{widths:?}");
}

/// Not a check: writes pages for a person to look at.
#[test]
#[ignore = "writes pages to the temporary folder to be looked at"]
fn pages_to_look_at() {
    let folder = std::env::temp_dir().join("tapeworks-report");
    std::fs::create_dir_all(&folder).unwrap();
    let no_costs = RunFacts { costs: String::new(), ..facts() };
    let empty = Account::new(&[], 100.0, 0.0, 0.0).finish(&[]);
    let one = {
        let mut account = Account::new(&["A"], 100.0, 0.0, 0.0);
        account.refuse(ns("2024-01-30"), 0, RejectCode::QuantityZero, 1.0, 0.4);
        account.snapshot(ns("2024-01-30"), &[250.0]);
        account.finish(&[250.0])
    };
    let minutes = RunFacts { timezone: "America/New_York".into(), ..facts() };
    for (name, records, facts) in [
        ("daily", random_run(2_520, 40, DAY_NS, 0.24), facts()),
        ("minute", random_run(98_280, 2, 60_000_000_000, 0.08), minutes),
        ("small", small_run(&["<script>", "B"]), facts()),
        ("one", one, no_costs.clone()),
        ("empty", empty, no_costs),
        ("large", random_run(3_700_000, 1, 60_000_000_000, 0.26), facts()),
    ] {
        let page = page(&records, facts.clone());
        eprintln!("{name}: {} trades, {} bytes", records.n_trades(), page.len());
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
        eprintln!("{}", with_input(&records, facts, report::text));
    }
}
