//! Semantics by name, with single knobs changed: the form in which configs and Python state them.

use crate::base::spelling::nearest;
use crate::base::{Error, Result};
use crate::broker::{SEMANTICS, Semantics};

/// Knobs that take a number or true and false, with what they take.
const PLAIN: &[(&str, &str)] = &[
    ("fill_delay", "a whole number of rows from 0 to 255"),
    ("slip_cap", "true or false"),
    ("water_entry_row", "true or false"),
    ("targets_count_live", "true or false"),
    ("double_exit", "true or false"),
    ("fee_on_trailing", "true or false"),
    ("stop_slip_orders", "true or false"),
    ("headroom", "a number above 0 and at most 1"),
    ("cash_tolerance", "a finite number"),
];

/// The value of a knob.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum KnobValue {
    /// One of the words of the knob.
    Word(String),
    /// On or off.
    Flag(bool),
    /// A number.
    Number(f64),
}

/// The names of all constants, in their order.
pub fn semantics_names() -> impl Iterator<Item = &'static str> + Clone {
    SEMANTICS.iter().map(|one| one.name)
}

/// The names of all knobs, with the words that each takes, or what it takes in place of a word.
pub fn knobs()
-> impl Iterator<Item = (&'static str, std::result::Result<Vec<&'static str>, &'static str>)> {
    let worded = Semantics::KNOBS.iter().map(|&knob| {
        (knob, Ok(Semantics::words_of(knob).expect("Invariant: KNOBS lists what words_of knows")))
    });
    worded.chain(PLAIN.iter().map(|&(knob, rule)| (knob, Err(rule))))
}

/// The constant of a name.
///
/// # Errors
/// `C330` with the nearest name and all names.
pub fn semantics_named(name: &str) -> Result<Semantics> {
    Semantics::by_name(name).ok_or_else(|| {
        Error::config("C330", format!("{name:?} is unknown{}", meant(name, semantics_names())))
            .with_hint(format!("one of: {}", semantics_names().collect::<Vec<_>>().join(", ")))
    })
}

/// Changes one knob.
///
/// # Errors
/// `C330` for an unknown knob or word, or a value out of range, with the nearest and all names.
pub fn change_knob(semantics: &mut Semantics, knob: &str, value: &KnobValue) -> Result<()> {
    if let Some(words) = Semantics::words_of(knob) {
        let known = words.iter().copied();
        let hint = format!("one of: {}", words.join(", "));
        return match value {
            KnobValue::Word(word) if words.contains(&word.as_str()) => semantics.set(knob, word),
            KnobValue::Word(word) => Err(Error::config(
                "C330",
                format!("{knob}: {word:?} is unknown{}", meant(word, known)),
            )
            .with_hint(hint)),
            KnobValue::Flag(other) => Err(not_a_word(knob, other).with_hint(hint)),
            KnobValue::Number(other) => Err(not_a_word(knob, other).with_hint(hint)),
        };
    }
    let Some((_, rule)) = PLAIN.iter().find(|(name, _)| *name == knob) else {
        let names: Vec<&str> = knobs().map(|(name, _)| name).collect();
        let guess = meant(knob, names.iter().copied());
        return Err(Error::config("C330", format!("there is no knob {knob}{guess}"))
            .with_hint(format!("knobs: {}", names.join(", "))));
    };
    if set_plain(semantics, knob, value) {
        return Ok(());
    }
    let shown = match value {
        KnobValue::Word(word) => format!("{word:?}"),
        KnobValue::Flag(on) => on.to_string(),
        KnobValue::Number(number) => number.to_string(),
    };
    Err(Error::config("C330", format!("{knob} is {shown}, expected {rule}")))
}

/// Sets a knob that takes no word; false when the value is not what it takes.
fn set_plain(semantics: &mut Semantics, knob: &str, value: &KnobValue) -> bool {
    match (knob, value) {
        ("fill_delay", KnobValue::Number(rows)) => {
            let rows = (0..=u8::MAX).find(|n| f64::from(*n) == *rows);
            semantics.fill_delay = rows.unwrap_or(semantics.fill_delay);
            rows.is_some()
        }
        ("headroom", KnobValue::Number(part)) if *part > 0.0 && *part <= 1.0 => {
            semantics.headroom = *part;
            true
        }
        ("cash_tolerance", KnobValue::Number(currency)) if currency.is_finite() => {
            semantics.cash_tolerance = *currency;
            true
        }
        (_, KnobValue::Flag(on)) => {
            let flag = match knob {
                "slip_cap" => &mut semantics.slip_cap,
                "water_entry_row" => &mut semantics.water_entry_row,
                "targets_count_live" => &mut semantics.targets_count_live,
                "double_exit" => &mut semantics.double_exit,
                "fee_on_trailing" => &mut semantics.fee_on_trailing,
                "stop_slip_orders" => &mut semantics.stop_slip_orders,
                _ => return false,
            };
            *flag = *on;
            true
        }
        _ => false,
    }
}

/// The name of the semantics and the knobs that differ from it: `realistic, both_hit profit_first`.
#[must_use]
pub fn describe_semantics(semantics: &Semantics) -> String {
    let Some(base) = Semantics::by_name(semantics.name) else { return semantics.name.to_owned() };
    let mut parts = vec![semantics.name.to_owned()];
    for knob in Semantics::KNOBS {
        let (own, usual) = (semantics.value_of(knob), base.value_of(knob));
        if own != usual {
            parts.push(format!("{knob} {}", own.unwrap_or_default()));
        }
    }
    for (knob, own, usual) in [
        ("fill_delay", f64::from(semantics.fill_delay), f64::from(base.fill_delay)),
        ("headroom", semantics.headroom, base.headroom),
        ("cash_tolerance", semantics.cash_tolerance, base.cash_tolerance),
    ] {
        if own.total_cmp(&usual).is_ne() {
            parts.push(format!("{knob} {own}"));
        }
    }
    for (knob, own, usual) in [
        ("slip_cap", semantics.slip_cap, base.slip_cap),
        ("water_entry_row", semantics.water_entry_row, base.water_entry_row),
        ("targets_count_live", semantics.targets_count_live, base.targets_count_live),
        ("double_exit", semantics.double_exit, base.double_exit),
        ("fee_on_trailing", semantics.fee_on_trailing, base.fee_on_trailing),
        ("stop_slip_orders", semantics.stop_slip_orders, base.stop_slip_orders),
    ] {
        if own != usual {
            parts.push(format!("{knob} {own}"));
        }
    }
    parts.join(", ")
}

fn not_a_word(knob: &str, given: impl std::fmt::Display) -> Error {
    Error::config("C330", format!("{knob} is {given}, expected a word"))
}

fn meant<'a>(word: &str, mut known: impl Iterator<Item = &'a str> + Clone) -> String {
    let begins = |name: &&str| word.len() >= 3 && name.starts_with(word);
    let found = nearest(word, known.clone()).or_else(|| known.find(begins));
    found.map_or_else(String::new, |name| format!(", did you mean {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::BothHit;

    #[test]
    fn knob_when_changed_by_name_then_only_it_differs() {
        let mut semantics = Semantics::REALISTIC;
        let word = |text: &str| KnobValue::Word(text.to_owned());
        change_knob(&mut semantics, "both_hit", &word("profit_first")).unwrap();
        change_knob(&mut semantics, "fill_delay", &KnobValue::Number(2.0)).unwrap();
        change_knob(&mut semantics, "slip_cap", &KnobValue::Flag(true)).unwrap();
        change_knob(&mut semantics, "headroom", &KnobValue::Number(0.98)).unwrap();
        let expected = Semantics {
            both_hit: BothHit::ProfitFirst,
            fill_delay: 2,
            slip_cap: true,
            headroom: 0.98,
            ..Semantics::REALISTIC
        };
        assert_eq!(semantics, expected);
        let text = "realistic, both_hit profit_first, fill_delay 2, headroom 0.98, slip_cap true";
        assert_eq!(describe_semantics(&semantics), text);
        assert_eq!(describe_semantics(&Semantics::REALISTIC), "realistic");
    }

    #[test]
    fn knob_when_wrong_then_the_error_names_the_remedy() {
        // knob, value, words of the error
        let rows: [(&str, KnobValue, &[&str]); 6] = [
            ("both_hits", KnobValue::Flag(true), &["no knob both_hits", "did you mean both_hit"]),
            (
                "both_hit",
                KnobValue::Word("profit_frist".into()),
                &["\"profit_frist\" is unknown, did you mean profit_first", "one of: stop_first"],
            ),
            ("both_hit", KnobValue::Number(1.0), &["both_hit is 1, expected a word"]),
            ("fill_delay", KnobValue::Number(0.5), &["fill_delay is 0.5, expected a whole number"]),
            ("headroom", KnobValue::Number(1.5), &["above 0 and at most 1"]),
            ("slip_cap", KnobValue::Word("yes".into()), &["slip_cap is \"yes\", expected true"]),
        ];
        for (knob, value, words) in rows {
            let error = change_knob(&mut Semantics::REALISTIC.clone(), knob, &value).unwrap_err();
            let shown = error.to_string();
            assert!(words.iter().all(|word| shown.contains(word)), "{shown}");
        }
        let error = semantics_named("realstic").unwrap_err().to_string();
        assert!(error.contains("did you mean realistic"), "{error}");
    }

    /// The fields of the struct, as its debug form names them, are the knobs and the name.
    #[test]
    fn knobs_when_listed_then_none_is_missing() {
        let shown = format!("{:#?}", Semantics::REALISTIC);
        let fields = shown.lines().filter_map(|line| line.trim().split_once(": "));
        let fields: Vec<&str> = fields.map(|(field, _)| field).filter(|f| *f != "name").collect();
        let known: Vec<&str> = knobs().map(|(knob, _)| knob).collect();
        assert!(fields.len() > 40);
        for field in &fields {
            assert!(known.contains(field), "{field}");
        }
        assert_eq!(fields.len(), known.len());
    }

    #[test]
    fn knobs_when_listed_then_each_takes_its_own_words() {
        for (knob, takes) in knobs() {
            for word in takes.into_iter().flatten() {
                let mut semantics = Semantics::REALISTIC;
                change_knob(&mut semantics, knob, &KnobValue::Word(word.to_owned())).unwrap();
                assert_eq!(semantics.value_of(knob), Some(word));
            }
        }
    }
}
