//! Sessions of a calendar in the engine: `day` orders, rows a session, the days of a rebalance.

use tapeworks::base::{AssetId, Calendar, Result, Symbols, Timestamp};
use tapeworks::broker::TimeInForce;
use tapeworks::engine::{EngineConfig, Flow, OrderRequest, Slice, Strategy, Trader, run};
use tapeworks::feed::{Layout, MarketChunk, MemoryFeed};
use tapeworks::records::{RecordKind, Records, Snapshot, TableOptions};

/// Hours that cross the midnight of UTC inside one session of the exchange in Chicago: from
/// Monday's last hour to Tuesday's evening, summer time.
const ROWS: [&str; 6] = [
    "2024-03-11 21:30",
    "2024-03-11 22:30", // opens Tuesday's session
    "2024-03-11 23:30",
    "2024-03-12 00:30",
    "2024-03-12 21:30",
    "2024-03-12 22:30", // opens Wednesday's session
];

fn feed(calendar: Option<&str>) -> MemoryFeed {
    let utc = jiff::tz::TimeZone::UTC;
    let n = ROWS.len();
    let at = |text: &&str| Timestamp::parse(text, &utc).expect(text).0;
    let chunk = MarketChunk {
        timestamps: ROWS.iter().map(at).collect(),
        offsets: (0..=u32::try_from(n).expect("few")).collect(),
        assets: vec![0; n],
        open: vec![100.0; n],
        high: vec![101.0; n],
        low: vec![99.0; n],
        close: vec![100.0; n],
        volume: vec![f64::NAN; n],
        ..MarketChunk::default()
    };
    let calendar = calendar.map(|name| Calendar::named(name).expect(name));
    MemoryFeed::new(Symbols::new(["ES"]), Layout::default(), vec![chunk]).with_calendar(calendar)
}

/// Sends one `day` limit that nothing reaches after the second row, and looks at it and the date.
#[derive(Default)]
struct Watch {
    rows: usize,
    open: Vec<usize>,
    dates: Vec<String>,
}

impl Strategy for Watch {
    fn on_data(&mut self, _slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        self.open.push(trader.open_orders().len());
        self.dates.push(trader.session_date().to_string());
        if self.rows == 1 {
            let order = OrderRequest::limit(AssetId(0), 1.0, 50.0);
            trader.submit(&OrderRequest { tif: TimeInForce::Day, ..order })?;
        }
        self.rows += 1;
        Ok(())
    }
}

#[test]
fn sessions_when_a_calendar_is_given_then_day_orders_and_snapshots_follow_it() {
    // calendar, open orders at each row, dates, rows of the portfolio a session
    let cases = [
        (Some("CMES"), [0, 0, 1, 1, 1, 0], ["11", "12", "12", "12", "12", "13"], 3),
        (None, [0, 0, 1, 0, 0, 0], ["11", "11", "11", "12", "12", "12"], 2),
    ];
    for (calendar, open, dates, n_sessions) in cases {
        let mut watch = Watch::default();
        let config = EngineConfig::default();
        let log = run(&mut feed(calendar), &mut watch, &config, &mut |_| Flow::Continue)
            .expect("the run ends well");
        assert_eq!(watch.open, open, "{calendar:?}");
        assert_eq!(watch.dates, dates.map(|day| format!("2024-03-{day}")), "{calendar:?}");
        let options = TableOptions { snapshot: Snapshot::Session, ..TableOptions::default() };
        let records = Records::new(log).with_options(options);
        assert_eq!(records.n_rows(RecordKind::Portfolio), n_sessions, "{calendar:?}");
    }
}
