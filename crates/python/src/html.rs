//! What notebooks show: small pieces of HTML that take their colours from the page around them.
//!
//! No scripts, no addresses, no fixed colours but a grey that reads on light and on dark; every
//! text is escaped.

use std::fmt::Write;

use crate::grid::escaped;

/// A line between rows, on light and on dark pages.
const RULE: &str = "border-bottom:1px solid rgba(128,128,128,.35)";
const WIDE: &str = "max-width:100%;overflow-x:auto";
const CELL: &str = "text-align:left;padding:2px 14px 2px 0";
const FAINT: &str = "opacity:.7";

/// Text in lines, as it is printed.
pub fn block(text: &str) -> String {
    format!(
        "<pre style=\"{WIDE};margin:.3em 0;line-height:1.35;background:none\">{}</pre>",
        escaped(text)
    )
}

/// A name and lines that say more.
pub fn heading(title: &str, lines: &[String]) -> String {
    let mut html = format!("<p style=\"margin:.3em 0\"><strong>{}</strong>", escaped(title));
    for line in lines {
        let _ = write!(html, "<br><span style=\"{FAINT}\">{}</span>", escaped(line));
    }
    html + "</p>"
}

/// A title and lines of `name: value`, deeper lines being more of the value before.
pub fn outline(text: &str) -> String {
    let mut lines = text.lines();
    let title = lines.next().unwrap_or_default();
    let mut rows: Vec<[String; 3]> = Vec::new();
    for line in lines {
        match (rows.last_mut(), line.split_once(": ")) {
            (Some([_, value, _]), _) if line.starts_with("    ") => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (_, Some((name, value))) => {
                rows.push([name.trim().to_owned(), value.to_owned(), String::new()]);
            }
            _ => rows.push([line.trim().to_owned(), String::new(), String::new()]),
        }
    }
    heading(title, &[]) + &facts(&rows)
}

/// Rows of name, value and remark.
pub fn facts(rows: &[[String; 3]]) -> String {
    let has_remarks = rows.iter().any(|[_, _, remark]| !remark.is_empty());
    let mut html = format!("<div style=\"{WIDE}\"><table style=\"border-collapse:collapse\">");
    for [name, value, remark] in rows {
        let align = if has_remarks { "right" } else { "left" };
        let _ = write!(
            html,
            "<tr style=\"{RULE};background:none\"><th style=\"{CELL};font-weight:normal\">{}</th>\
             <td style=\"{CELL};text-align:{align};font-variant-numeric:tabular-nums\">{}</td>",
            escaped(name),
            escaped(value)
        );
        if has_remarks {
            let _ = write!(html, "<td style=\"{CELL};{FAINT}\">{}</td>", escaped(remark));
        }
        html.push_str("</tr>");
    }
    html + "</table></div>"
}

/// Points that a curve is drawn with, at most; the extremes of what lies between are kept.
const POINTS: usize = 320;
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 96.0;

/// A curve without axes and what it shows; nothing for fewer than two values.
pub fn curve(values: &[f64], caption: &str) -> String {
    let known: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    if known.len() < 2 {
        return String::new();
    }
    let (mut low, mut high) =
        known.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    if low == high {
        (low, high) = (low - 1.0, high + 1.0);
    }
    let drawn = thinned(&known);
    let step = WIDTH / (drawn.len() - 1) as f64;
    let mut path = String::new();
    for (i, value) in drawn.iter().enumerate() {
        let y = 2.0 + (high - value) / (high - low) * (HEIGHT - 4.0);
        let _ = write!(path, "{}{:.1} {y:.1}", if i == 0 { "M" } else { "L" }, i as f64 * step);
    }
    format!(
        "<figure style=\"margin:.4em 0;max-width:{WIDTH}px\"><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         preserveAspectRatio=\"none\" style=\"width:100%;height:{HEIGHT}px;display:block\" \
         role=\"img\" aria-label=\"{caption}\"><path d=\"{path}L{WIDTH} {HEIGHT}L0 {HEIGHT}Z\" \
         fill=\"currentColor\" opacity=\".12\"/><path d=\"{path}\" fill=\"none\" \
         stroke=\"currentColor\" stroke-width=\"1.3\" vector-effect=\"non-scaling-stroke\"/></svg>\
         <figcaption style=\"{FAINT};font-size:90%\">{caption}</figcaption></figure>",
        caption = escaped(caption)
    )
}

/// The lowest and the highest value of each stretch, in their order, between first and last.
fn thinned(values: &[f64]) -> Vec<f64> {
    if values.len() <= POINTS {
        return values.to_vec();
    }
    let stretch = values.len().div_ceil(POINTS / 2 - 1);
    let mut kept = vec![values[0]];
    for part in values.chunks(stretch) {
        let place = |better: fn(f64, f64) -> bool| {
            (0..part.len()).fold(0, |best, i| if better(part[i], part[best]) { i } else { best })
        };
        let (low, high) = (place(|a, b| a < b), place(|a, b| a > b));
        kept.extend([part[low.min(high)], part[low.max(high)]]);
    }
    kept.extend(values.last());
    kept
}
