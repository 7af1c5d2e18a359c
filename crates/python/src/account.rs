//! `Account`: what may be held and borrowed, on which terms.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tapeworks::broker::{AccountKind, AccountTerms, MarginCallPolicy};

use crate::argument::{not_negative, number, positive, share};
use crate::errors::{config_error, one_of, refuse_unknown};
use crate::grid::code;
use crate::screen::screen;

/// What may be held and borrowed, with the terms of the account.
///
/// Margins are fractions of a position's value, rates fractions a year.
///
///     >>> import tapeworks as tw
///     >>> tw.Account.margin(initial=0.5, maintenance=0.25, borrow_rate=0.02)
///     Account.margin(maintenance_short=0.25, borrow_rate=0.02)
///     >>> tw.Account.cash().kind
///     'cash'
#[pyclass(frozen, name = "Account", module = "tapeworks")]
pub struct PyAccount {
    pub terms: AccountTerms,
    text: String,
}

/// The terms that every kind of account has.
#[derive(Clone, Copy)]
struct Shared {
    cash_buffer: f64,
    settlement_days: u32,
    credit_rate: f64,
    price_band: Option<f64>,
    day_count: u32,
}

/// The terms that accounts with margin have besides.
#[derive(Clone, Copy)]
struct Lent<'a> {
    initial: f64,
    maintenance: Option<f64>,
    maintenance_long: Option<f64>,
    maintenance_short: Option<f64>,
    margin_call: &'a str,
    borrow_rate: f64,
    debit_rate: f64,
}

impl Shared {
    fn terms(self, function: &str, kind: AccountKind) -> PyResult<AccountTerms> {
        let is_part = (0.0..1.0).contains(&self.cash_buffer);
        number(function, "cash_buffer", self.cash_buffer, is_part, "from 0 and below 1")?;
        not_negative(function, "credit_rate", self.credit_rate)?;
        let is_year = [252, 360, 365].contains(&self.day_count);
        let days = f64::from(self.day_count);
        number(function, "day_count", days, is_year, "that is 252, 360 or 365")?;
        if let Some(band) = self.price_band {
            positive(function, "price_band", band)?;
        }
        Ok(AccountTerms {
            cash_buffer: self.cash_buffer,
            settlement_days: self.settlement_days,
            credit_rate: self.credit_rate,
            day_count: days,
            price_band: self.price_band.unwrap_or(f64::NAN),
            ..AccountTerms::new(kind)
        })
    }
}

impl Lent<'_> {
    fn terms(self, function: &str, held: AccountTerms) -> PyResult<AccountTerms> {
        share(function, "initial", self.initial)?;
        let usual = AccountTerms::new(held.kind);
        // Where less is needed to open than usual, less is needed to keep, in proportion.
        let shrink = (self.initial / usual.initial_margin).min(1.0);
        let kept = |name: &str, own: Option<f64>, usual: f64| {
            let kept = own.or(self.maintenance).unwrap_or(usual * shrink);
            let is_less = kept >= 0.0 && kept <= self.initial;
            let rule = format!("from 0 to {}, the initial margin", self.initial);
            number(function, name, kept, is_less, &rule)
        };
        not_negative(function, "borrow_rate", self.borrow_rate)?;
        not_negative(function, "debit_rate", self.debit_rate)?;
        let policies = [
            ("liquidate", MarginCallPolicy::Liquidate),
            ("record", MarginCallPolicy::Record),
            ("ignore", MarginCallPolicy::Ignore),
            ("stop", MarginCallPolicy::Stop),
        ];
        Ok(AccountTerms {
            initial_margin: self.initial,
            maintenance_long: kept(
                "maintenance_long",
                self.maintenance_long,
                usual.maintenance_long,
            )?,
            maintenance_short: kept(
                "maintenance_short",
                self.maintenance_short,
                usual.maintenance_short,
            )?,
            margin_call: one_of("margin_call", self.margin_call, &policies)?,
            borrow_rate: self.borrow_rate,
            debit_rate: self.debit_rate,
            ..held
        })
    }
}

impl PyAccount {
    fn new(terms: AccountTerms) -> Self {
        let usual = AccountTerms::new(terms.kind);
        let mut parts = Vec::new();
        let mut show = |name: &str, value: f64, usual: f64| {
            if value.total_cmp(&usual).is_ne() {
                parts.push(format!("{name}={value}"));
            }
        };
        show("initial", terms.initial_margin, usual.initial_margin);
        show("maintenance_long", terms.maintenance_long, usual.maintenance_long);
        show("maintenance_short", terms.maintenance_short, usual.maintenance_short);
        show("cash_buffer", terms.cash_buffer, usual.cash_buffer);
        show("settlement_days", f64::from(terms.settlement_days), 0.0);
        show("borrow_rate", terms.borrow_rate, usual.borrow_rate);
        show("credit_rate", terms.credit_rate, usual.credit_rate);
        show("debit_rate", terms.debit_rate, usual.debit_rate);
        show("day_count", terms.day_count, usual.day_count);
        show("price_band", terms.price_band, usual.price_band);
        match terms.margin_call {
            MarginCallPolicy::Liquidate => {}
            MarginCallPolicy::Record => parts.push("margin_call='record'".to_owned()),
            MarginCallPolicy::Ignore => parts.push("margin_call='ignore'".to_owned()),
            MarginCallPolicy::Stop => parts.push("margin_call='stop'".to_owned()),
        }
        let text = format!("Account.{}({})", terms.kind.as_str(), parts.join(", "));
        Self { terms, text }
    }
}

#[pymethods]
impl PyAccount {
    #[new]
    #[pyo3(signature = (*args, **unknown))]
    fn new_refused(
        args: &Bound<'_, PyTuple>,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let _ = (args, unknown);
        Err(config_error(
            "C433",
            "an account is made by its kind",
            "tw.Account.cash(), .margin(), .crypto() or .futures(), each with its own keywords",
        ))
    }

    /// Pays for everything it holds; no short positions.
    ///
    /// `cash_buffer`: share of the cash that opens leave alone; `settlement_days`: sessions until
    /// the proceeds of a sale can pay; `credit_rate`: interest on cash; `price_band`: how far a
    /// limit may lie from the last price, as a fraction.
    #[staticmethod]
    #[pyo3(signature = (
        *, cash_buffer=0.0, settlement_days=0, credit_rate=0.0, price_band=None, day_count=360,
        **unknown
    ))]
    fn cash(
        cash_buffer: f64,
        settlement_days: u32,
        credit_rate: f64,
        price_band: Option<f64>,
        day_count: u32,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown(
            "Account.cash",
            &["cash_buffer", "settlement_days", "credit_rate", "price_band", "day_count"],
            unknown,
        )?;
        let shared = Shared { cash_buffer, settlement_days, credit_rate, price_band, day_count };
        shared.terms("Account.cash", AccountKind::Cash).map(Self::new)
    }

    /// A spot account around the clock: pays for everything it holds; no short positions.
    #[staticmethod]
    #[pyo3(signature = (
        *, cash_buffer=0.0, credit_rate=0.0, price_band=None, day_count=360, **unknown
    ))]
    fn crypto(
        cash_buffer: f64,
        credit_rate: f64,
        price_band: Option<f64>,
        day_count: u32,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown(
            "Account.crypto",
            &["cash_buffer", "credit_rate", "price_band", "day_count"],
            unknown,
        )?;
        let shared = Shared { cash_buffer, settlement_days: 0, credit_rate, price_band, day_count };
        shared.terms("Account.crypto", AccountKind::Crypto).map(Self::new)
    }

    /// Borrows against what it holds; short positions allowed.
    ///
    /// `initial` is the equity needed to open, `maintenance` the equity needed to keep a position
    /// (0.25 long and 0.3 short when left out, less where `initial` is below 0.5). `margin_call`:
    /// "liquidate" sells at the next opens, "record" writes it down and
    /// lets nothing open while it stands, "stop" ends the run, "ignore" asks nobody.
    #[staticmethod]
    #[pyo3(signature = (
        *, initial=0.5, maintenance=None, maintenance_long=None, maintenance_short=None,
        margin_call="liquidate", cash_buffer=0.0, settlement_days=0, borrow_rate=0.0,
        credit_rate=0.0, debit_rate=0.0, price_band=None, day_count=360, **unknown
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are its keywords")]
    fn margin(
        initial: f64,
        maintenance: Option<f64>,
        maintenance_long: Option<f64>,
        maintenance_short: Option<f64>,
        margin_call: &str,
        cash_buffer: f64,
        settlement_days: u32,
        borrow_rate: f64,
        credit_rate: f64,
        debit_rate: f64,
        price_band: Option<f64>,
        day_count: u32,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown(
            "Account.margin",
            &[
                "initial",
                "maintenance",
                "maintenance_long",
                "maintenance_short",
                "margin_call",
                "cash_buffer",
                "settlement_days",
                "borrow_rate",
                "credit_rate",
                "debit_rate",
                "price_band",
                "day_count",
            ],
            unknown,
        )?;
        let function = "Account.margin";
        let shared = Shared { cash_buffer, settlement_days, credit_rate, price_band, day_count };
        let lent = Lent {
            initial,
            maintenance,
            maintenance_long,
            maintenance_short,
            margin_call,
            borrow_rate,
            debit_rate,
        };
        lent.terms(function, shared.terms(function, AccountKind::Margin)?).map(Self::new)
    }

    /// Holds contracts against margin; gains are settled in cash each row.
    ///
    /// The margin of an instrument comes before `initial` and `maintenance`, which are fractions of
    /// a contract's value.
    #[staticmethod]
    #[pyo3(signature = (
        *, initial=0.5, maintenance=None, margin_call="liquidate", cash_buffer=0.0,
        credit_rate=0.0, debit_rate=0.0, price_band=None, day_count=360, **unknown
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are its keywords")]
    fn futures(
        initial: f64,
        maintenance: Option<f64>,
        margin_call: &str,
        cash_buffer: f64,
        credit_rate: f64,
        debit_rate: f64,
        price_band: Option<f64>,
        day_count: u32,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown(
            "Account.futures",
            &[
                "initial",
                "maintenance",
                "margin_call",
                "cash_buffer",
                "credit_rate",
                "debit_rate",
                "price_band",
                "day_count",
            ],
            unknown,
        )?;
        let function = "Account.futures";
        let shared = Shared { cash_buffer, settlement_days: 0, credit_rate, price_band, day_count };
        let lent = Lent {
            initial,
            maintenance,
            maintenance_long: None,
            maintenance_short: None,
            margin_call,
            borrow_rate: 0.0,
            debit_rate,
        };
        lent.terms(function, shared.terms(function, AccountKind::Futures)?).map(Self::new)
    }

    /// `"cash"`, `"margin"`, `"crypto"` or `"futures"`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.terms.kind.as_str()
    }

    fn __repr__(&self) -> String {
        screen(&self.text)
    }

    fn _repr_html_(&self) -> String {
        code(&self.text)
    }
}

/// Reads the argument `account`: a name, or an `Account`.
///
/// # Errors
/// `ConfigError` for anything else.
pub fn account(value: &Bound<'_, PyAny>) -> PyResult<AccountTerms> {
    if let Ok(account) = value.cast::<PyAccount>() {
        return Ok(account.get().terms);
    }
    let names = AccountKind::ALL.map(|kind| (kind.as_str(), kind));
    let Ok(name) = value.extract::<String>() else {
        return Err(config_error(
            "C462",
            format!("account={} is no account", value.repr()?),
            "use \"cash\", \"margin\", \"crypto\", \"futures\", or tw.Account.margin(initial=0.5)",
        ));
    };
    one_of("account", &name, &names).map(AccountTerms::new)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyAccount>()
}
