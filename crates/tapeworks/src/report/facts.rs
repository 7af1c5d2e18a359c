//! What a report says about its run besides the records: where it came from and what it assumes.

use crate::base::Adjustment;
use serde::Serialize;

/// Facts of a run that the records do not hold; whoever wires the run fills them in.
///
/// Missing: an empty text or list is left out of the report, except `costs`: where it is empty and
/// nothing was charged in fact, the report says so in red.
#[derive(Debug, Clone, Serialize)]
pub struct RunFacts {
    /// Name of the run.
    pub name: String,
    /// The strategy with its parameters, on one line: `sma_cross(fast 20, slow 50)`.
    pub strategy: String,
    /// Fill rule: the name of the semantics.
    pub semantics: String,
    /// Account kind, for example `cash`.
    pub account: String,
    /// Cash at the start, in `currency`.
    pub cash: f64,
    /// Account currency, for example `USD`; empty when it is not known.
    pub currency: String,
    /// Zone in which days and months are counted (IANA name). Rows whose timestamps are all at
    /// midnight UTC are session labels and keep their date in any zone.
    pub timezone: String,
    /// The cost models on one line; empty when nothing is to be charged.
    pub costs: String,
    /// The resolved configuration.
    pub config_yaml: String,
    /// One line a data source: path, rows, span.
    pub data: Vec<String>,
    /// Summary lines of the data checks.
    pub checks: Vec<String>,
    /// What the run had to take on trust.
    pub unverified: Vec<Unverified>,
    /// Changes made to the data, with counts.
    pub repairs: Vec<String>,
    /// Warnings of the run.
    pub warnings: Vec<String>,
    /// What the simulation leaves out.
    pub not_modelled: Vec<String>,
    /// Program and library versions as (name, version).
    pub versions: Vec<(String, String)>,
    /// The files read.
    pub inputs: Vec<InputFact>,
    /// One fingerprint over all inputs; empty when it was not computed.
    pub data_fingerprint: String,
    /// Hash of configuration, inputs and version.
    pub run_id: String,
}

/// One thing the run could not check: a short topic and what was assumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unverified {
    /// One or two words: `adjustment`, `universe`, `signal availability`.
    pub topic: String,
    /// What was assumed in its place, and what follows if that is wrong.
    pub text: String,
}

/// One input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputFact {
    /// The path as the user gave it.
    pub path: String,
    /// Content fingerprint.
    pub fingerprint: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Rows read.
    pub rows: u64,
}

impl Default for RunFacts {
    /// An unnamed run on UTC days about which nothing is known; the lists of what could not be
    /// verified and of what is not modelled hold what is true of every run of this version.
    fn default() -> Self {
        Self {
            name: "run".into(),
            strategy: String::new(),
            semantics: String::new(),
            account: String::new(),
            cash: 0.0,
            currency: String::new(),
            timezone: "UTC".into(),
            costs: String::new(),
            config_yaml: String::new(),
            data: Vec::new(),
            checks: Vec::new(),
            unverified: UNVERIFIED
                .iter()
                .map(|&(topic, text)| Unverified { topic: topic.into(), text: text.into() })
                .collect(),
            repairs: Vec::new(),
            warnings: Vec::new(),
            not_modelled: NOT_MODELLED.iter().map(ToString::to_string).collect(),
            versions: Vec::new(),
            inputs: Vec::new(),
            data_fingerprint: String::new(),
            run_id: String::new(),
        }
    }
}

impl RunFacts {
    /// The same facts with what the data say of their prices.
    #[must_use]
    pub fn with_adjustment(mut self, adjustment: Option<Adjustment>) -> Self {
        let text = match adjustment {
            None => return self,
            Some(Adjustment::Stated) => {
                "prices are said to be adjusted for splits and dividends; jumps that are left \
                 count as profit and loss"
            }
            Some(Adjustment::None | Adjustment::Split | Adjustment::Total) => {
                "prices are said to be raw; an action that the table of corporate actions does not \
                 have counts as profit and loss"
            }
        };
        for item in self.unverified.iter_mut().filter(|item| item.topic == "adjustment") {
            text.clone_into(&mut item.text);
        }
        self
    }
}

/// True of any run whose data carry no proof to the contrary.
pub const UNVERIFIED: &[(&str, &str)] = &[
    (
        "adjustment",
        "prices are taken as they are; if splits and dividends are not adjusted for, jumps in \
         price count as profit and loss",
    ),
    (
        "universe",
        "the symbols are those of the file; if failed or delisted companies are absent, returns \
         are too high",
    ),
    (
        "signal availability",
        "a value is taken as known at its timestamp; if it was computed or published later, the \
         run looks ahead",
    ),
];

/// What is not simulated where the data do not say what their prices are.
pub const CORPORATE_ACTIONS: &str =
    "dividends, splits and other corporate actions beyond what is in the prices";

/// What this version does not simulate, whatever the terms.
pub const NOT_MODELLED: &[&str] =
    &[CORPORATE_ACTIONS, "taxes, exchange fees other than the commission, latency"];
