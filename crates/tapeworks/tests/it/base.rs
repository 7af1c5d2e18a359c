//! Room `base`: ids, times and errors.

use tapeworks::base::{AssetId, Error, Symbols, Timestamp};

#[test]
fn symbols_when_given_unsorted_repeated_names_then_ids_are_byte_ranks() {
    let symbols = Symbols::new(["b", "a", "B", "b"]);
    let names: Vec<_> = symbols.iter().collect();
    assert_eq!(names, ["B", "a", "b"]);
    assert_eq!(symbols.id("b"), Some(AssetId(2)));
    assert_eq!(symbols.id("c"), None);
}

#[test]
fn timestamp_when_parsed_and_printed_then_forms_agree() {
    let new_york = jiff::tz::TimeZone::get("America/New_York").expect("bundled zone");
    let utc = jiff::tz::TimeZone::UTC;
    // text, zone, expected nanoseconds, printed form; seconds from `date -u -d ... +%s`
    let rows = [
        ("2024-03-08", &utc, 1_709_856_000_000_000_000, "2024-03-08"),
        ("2024-03-08 14:30", &utc, 1_709_908_200_000_000_000, "2024-03-08 14:30:00Z"),
        ("2024-03-08 09:30", &new_york, 1_709_908_200_000_000_000, "2024-03-08 14:30:00Z"),
        ("2024-03-08T09:30:00-05:00", &utc, 1_709_908_200_000_000_000, "2024-03-08 14:30:00Z"),
    ];
    for (text, zone, ns, printed) in rows {
        let time = Timestamp::parse(text, zone).expect(text);
        assert_eq!(time.0, ns, "{text}");
        assert_eq!(time.to_string(), printed, "{text}");
    }
}

#[test]
fn timestamp_when_local_time_is_missing_or_twice_then_error_names_it() {
    let new_york = jiff::tz::TimeZone::get("America/New_York").expect("bundled zone");
    for text in ["2024-03-10 02:30", "2024-11-03 01:30", "2024-13-01"] {
        let error = Timestamp::parse(text, &new_york).expect_err(text);
        assert_eq!(error.code(), "C301");
        assert!(error.message().contains(text), "{error}");
    }
}

#[test]
fn error_when_printed_then_code_and_hint_show() {
    let error = Error::data("D204", "high below close").with_hint("drop the row");
    assert_eq!(error.to_string(), "TW-D204: high below close\nhint: drop the row");
    assert_eq!(error.exit_code(), 1);
}
