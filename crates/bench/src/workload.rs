//! The standard workloads: data, rule, cash and fee.

use tapeworks::base::{Error, Result};
use tapeworks::broker::{AccountKind, AccountTerms, Commission, PositionRule};
use tapeworks::data::Source;
use tapeworks::engine::rules::{Noop, Rebalance, SmaCross, TopN, Weighting};
use tapeworks::engine::{EngineConfig, Strategy};
use tapeworks::feed::{DataFeed, Layout};

/// A standard workload.
pub struct Workload {
    rule: Rule,
    cash: f64,
    has_rules: bool,
}

#[derive(Clone, Copy)]
enum Rule {
    SmaCross,
    Top,
    LongShort,
    Idle,
}

impl Workload {
    /// The workload of a name.
    pub fn find(name: &str) -> Result<Self> {
        let (rule, cash) = match name {
            "W1" | "W4s" => (Rule::SmaCross, 1e7),
            "W4m" | "W4" => (Rule::SmaCross, 1e8),
            "W2" => (Rule::Top, 1e7),
            "W5" => (Rule::LongShort, 1e7),
            "W3" | "W3s" | "W3m" => (Rule::Idle, 1e7),
            _ => return Err(Error::config("C301", format!("{name:?} is no workload"))),
        };
        Ok(Self { rule, cash, has_rules: false })
    }

    /// The same with position rules that watch every row and hardly ever fire.
    pub fn with_rules(self, has_rules: bool) -> Self {
        Self { has_rules, ..self }
    }

    /// The columns that the workload reads.
    pub fn feed(&self, path: &str) -> DataFeed {
        let signals = match self.rule {
            Rule::Top | Rule::LongShort => vec!["signal".to_owned()],
            Rule::SmaCross | Rule::Idle => Vec::new(),
        };
        let mut feed = every_column(path);
        feed.signal_columns = Some(signals);
        feed.indicator_columns = Some(Vec::new());
        feed
    }

    /// The rule, new for each run.
    pub fn strategy(&self, layout: &Layout) -> Result<Box<dyn Strategy>> {
        match self.rule {
            Rule::SmaCross => Ok(Box::new(SmaCross::new(10, 30, 100.0)?)),
            Rule::Idle => Ok(Box::new(Noop)),
            // 25 long and 25 short of 2 % of equity each, every row.
            Rule::LongShort => TopN {
                rebalance: Rebalance::Days { every: 1, phase: 0 },
                weighting: Weighting::Fixed(0.02),
                long_short: true,
                ..TopN::new("signal", 25)
            }
            .build(layout),
            Rule::Top => TopN {
                rebalance: Rebalance::Days { every: 5, phase: 4 },
                weighting: Weighting::Fixed(0.02),
                ..TopN::new("signal", 25)
            }
            .build(layout),
        }
    }

    /// A fee of 10 bps a side, no slippage.
    pub fn config(&self) -> EngineConfig {
        EngineConfig {
            cash: self.cash,
            commission: Commission::percent(10.0, 0.0),
            account: match self.rule {
                Rule::LongShort => AccountKind::Margin.into(),
                Rule::Top | Rule::SmaCross | Rule::Idle => AccountTerms::default(),
            },
            rules: if self.has_rules { wide_rules() } else { Vec::new() },
            ..EngineConfig::default()
        }
    }
}

fn wide_rules() -> Vec<PositionRule> {
    vec![
        PositionRule::StopLoss(0.5),
        PositionRule::TakeProfit(1.0),
        PositionRule::TrailingStop(0.5),
    ]
}

/// A feed of every column of a file.
pub fn every_column(path: &str) -> DataFeed {
    DataFeed::new(Source::Path(path.to_owned()))
}
