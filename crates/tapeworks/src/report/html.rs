//! The page: every section's template filled with its JSON, style and scripts in one file.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value as Filled;
use minijinja::{AutoEscape, Environment, context};
use serde_json::{Map, Value};

use super::sections::SECTIONS;
use super::{ReportInput, number};
use crate::base::{Error, Result};

const PAGE: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/page.css");
const SCRIPT: &str = include_str!("assets/page.js");
const UPLOT_SCRIPT: &str = include_str!("assets/uPlot.iife.min.js");
const UPLOT_LICENSE: &str = include_str!("assets/uPlot.LICENSE");
const UPLOT_STYLE: &str = include_str!("assets/uPlot.min.css");

/// How a number is written.
type Form = fn(f64) -> String;

/// The report as one HTML document that refers to nothing outside itself.
///
/// Cost: a pass over the states and two over the trades; 4,000 drawn rows and 2,000 trades embedded
/// at most.
///
/// # Errors
/// `W301` when a template cannot be filled; none of the input can cause it.
pub fn html(input: &ReportInput<'_>) -> Result<String> {
    let mut environment = environment()?;
    let mut embedded = Map::new();
    let mut parts = Vec::with_capacity(SECTIONS.len());
    for section in SECTIONS {
        environment.add_template(section.key, section.template).map_err(template_error)?;
        let mut value = (section.build)(input);
        if let Some(data) = value.as_object_mut().and_then(|object| object.remove("embed")) {
            embedded.insert(section.key.into(), data);
        }
        parts.push((section, filled("", &value)));
    }
    let mut bodies = Vec::with_capacity(parts.len());
    for (section, value) in parts {
        let template = environment.get_template(section.key).map_err(template_error)?;
        let context = context! { s => value, currency => input.facts.currency.as_str() };
        let body = template.render(context).map_err(template_error)?;
        bodies.push(context! {
            key => section.key,
            title => section.title,
            body => Filled::from_safe_string(body),
        });
    }
    let page = environment.get_template("page").map_err(template_error)?;
    let safe = |text: String| Filled::from_safe_string(text);
    page.render(context! {
        name => input.facts.name.as_str(),
        sections => bodies,
        style => safe(format!("{UPLOT_STYLE}
    {STYLE}")),
        uplot => safe(uplot()),
        script => safe(SCRIPT.into()),
        data => safe(script_json(&Value::Object(embedded))),
        version => env!("CARGO_PKG_VERSION"),
    })
    .map_err(template_error)
}

/// The charting script under its licence, which asks to stand in every copy; the licence takes the
/// place of the first line, a comment with the project's address.
fn uplot() -> String {
    let code = UPLOT_SCRIPT.split_once('\n').map_or(UPLOT_SCRIPT, |(_, code)| code);
    format!("/*! uPlot 1.6.32\n{UPLOT_LICENSE}*/\n{code}")
}

fn environment() -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(template_error)?);
    environment.add_template("page", PAGE).map_err(template_error)?;
    let filters: [(&'static str, Form); 7] = [
        ("money", number::money),
        ("signed_money", number::signed_money),
        ("percent", number::percent),
        ("signed_percent", number::signed_percent),
        ("plain", number::plain),
        ("price", number::price),
        ("count", |value| number::grouped(value, 0)),
    ];
    for (name, filter) in filters {
        environment.add_filter(name, move |value: Filled| shown(&value, filter));
    }
    environment.add_filter("bytes", |value: u64| number::bytes(value));
    environment.add_filter("minus", |text: String| number::true_minus(&text));
    environment.add_filter(
        "plural_of",
        |one: String, n: u64| {
            if n == 1 { one } else { format!("{one}s") }
        },
    );
    environment.add_filter("spaced", |code: String| code.replace('_', " "));
    Ok(environment)
}

/// A number by `filter`, with a true minus sign; absent numbers are `n/a`.
fn shown(value: &Filled, filter: Form) -> String {
    f64::try_from(value.clone())
        .map_or_else(|_| number::ABSENT.into(), |v| number::true_minus(&filter(v)))
}

/// JSON that may stand inside a script element: no `<`, and no line ends that scripts stumble on.
fn script_json(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// The same value for the template engine.
///
/// Only what stands under a key that ends in `_svg` is markup: charts drawn by us, with every text
/// in them escaped there.
fn filled(key: &str, value: &Value) -> Filled {
    match value {
        Value::Null => Filled::from(()),
        Value::Bool(flag) => Filled::from(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => Filled::from(whole),
            (_, Some(whole), _) => Filled::from(whole),
            (_, _, any) => Filled::from(any.unwrap_or(f64::NAN)),
        },
        Value::String(text) if key.ends_with("_svg") => Filled::from_safe_string(text.clone()),
        Value::String(text) => Filled::from(text.as_str()),
        Value::Array(items) => items.iter().map(|item| filled("", item)).collect(),
        Value::Object(entries) => Filled::from_pairs(
            entries.iter().map(|(key, value)| (Filled::from(key.as_str()), filled(key, value))),
        ),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
fn template_error(error: minijinja::Error) -> Error {
    Error::output("W301", format!("the report template could not be filled: {error:#}"))
        .with_hint("this is a bug in the report; the run's other files are complete")
}
