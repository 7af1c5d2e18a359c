//! Trading calendars against the package `exchange_calendars`, and by hand.

use sha2::{Digest, Sha256};
use tapeworks::base::calendar::Session;
use tapeworks::base::{Calendar, Date, Timestamp};

/// Written by `oracles/calendars/make_tables.py` with `exchange_calendars` 4.13.2.
const GOLDEN: &str = include_str!("sessions.txt");

fn date(text: &str) -> Date {
    Date::parse(text).expect(text)
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text, &jiff::tz::TimeZone::UTC).expect(text)
}

/// The line of a session as the oracle writes it.
fn line(session: &Session) -> String {
    let lunch = session.lunch.map_or("- -".to_owned(), |(a, b)| format!("{} {}", a.0, b.0));
    format!("{} {} {} {lunch}", session.date, session.open.0, session.close.0)
}

#[test]
fn calendar_when_built_in_then_every_session_is_that_of_the_package() {
    let mut n_calendars = 0;
    let mut n_spots = 0;
    for row in GOLDEN.lines().filter(|row| !row.starts_with('#')) {
        let (code, rest) = row.split_once(' ').expect("code first");
        let calendar = Calendar::named(code).expect(code);
        if let [n_sessions, digest] = rest.split(' ').collect::<Vec<_>>()[..] {
            let mut sha = Sha256::new();
            for session in calendar.all() {
                sha.update(format!("{}\n", line(session)));
            }
            let found = format!("{:x}", sha.finalize());
            assert_eq!(calendar.all().len().to_string(), n_sessions, "{code}");
            assert_eq!(found, digest, "{code}");
            n_calendars += 1;
        } else {
            let day = date(&rest[..10]);
            let session = calendar.session(day).expect("in the span").expect("a session");
            assert_eq!(line(session), rest, "{code}");
            n_spots += 1;
        }
    }
    assert_eq!(n_calendars, Calendar::names().count());
    assert!(n_spots >= 12 * n_calendars);
}

/// The instants of data.md and of the exchanges' own pages, written down by hand.
#[test]
fn session_when_clocks_change_or_the_day_is_short_then_instants_follow() {
    for (name, day, open, close, lunch) in [
        ("XNYS", "2024-03-08", "2024-03-08 14:30", "2024-03-08 21:00", None),
        ("NYSE", "2024-03-11", "2024-03-11 13:30", "2024-03-11 20:00", None),
        ("NASDAQ", "2024-11-29", "2024-11-29 14:30", "2024-11-29 18:00", None),
        ("xnas", "2024-12-24", "2024-12-24 14:30", "2024-12-24 18:00", None),
        ("CMES", "2024-03-11", "2024-03-10 22:00", "2024-03-11 22:00", None),
        ("XLON", "2024-04-02", "2024-04-02 07:00", "2024-04-02 15:30", None),
        ("XTKS", "2024-11-01", "2024-11-01 00:00", "2024-11-01 06:00", Some(("02:30", "03:30"))),
        ("XTKS", "2024-11-05", "2024-11-05 00:00", "2024-11-05 06:30", Some(("02:30", "03:30"))),
        ("XHKG", "2024-12-24", "2024-12-24 01:30", "2024-12-24 04:00", None),
        ("CBOE", "2024-11-29", "2024-11-29 14:30", "2024-11-29 18:15", None),
        ("24/7", "2024-03-10", "2024-03-10", "2024-03-11", None),
        ("24/5", "2024-03-11", "2024-03-11", "2024-03-12", None),
    ] {
        let calendar = Calendar::named(name).expect(name);
        let session = calendar.session(date(day)).expect("in the span").expect("a session");
        assert_eq!(session.open, instant(open), "{name} {day}");
        assert_eq!(session.close, instant(close), "{name} {day}");
        let found = session.lunch.map(|(a, b)| (a.to_string(), b.to_string()));
        let wanted = lunch.map(|(a, b)| (format!("{day} {a}:00Z"), format!("{day} {b}:00Z")));
        assert_eq!(found, wanted, "{name} {day}");
        assert_eq!(calendar.open(date(day)).expect("open"), session.open);
        assert_eq!(calendar.close(date(day)).expect("close"), session.close);
    }
}

#[test]
fn session_of_when_between_sessions_then_the_local_date() {
    for (name, at, day) in [
        ("XNYS", "2024-03-08 14:30", "2024-03-08"),
        ("XNYS", "2024-03-08 21:00", "2024-03-08"),
        ("XNYS", "2024-03-09 02:00", "2024-03-08"), // Friday evening in New York
        ("XNYS", "2024-03-09 05:00", "2024-03-09"), // Saturday: no session
        ("XNYS", "2024-11-29 19:00", "2024-11-29"), // after the early close
        ("CMES", "2024-03-10 21:59", "2024-03-10"), // Sunday before the open
        ("CMES", "2024-03-10 22:00", "2024-03-11"), // Sunday evening is Monday's session
        ("CMES", "2024-03-11 22:00", "2024-03-11"), // Monday's close is Tuesday's open
        ("CMES", "2024-03-11 22:01", "2024-03-12"),
        ("24/7", "2024-03-10 00:00", "2024-03-09"), // the instant that ends the day before
        ("24/7", "2024-03-10 00:01", "2024-03-10"),
        ("XTKS", "2024-11-05 03:00", "2024-11-05"), // lunch
    ] {
        let calendar = Calendar::named(name).expect(name);
        assert_eq!(calendar.session_of(instant(at)).expect(at), date(day), "{name} {at}");
    }
}

#[test]
fn questions_when_around_a_long_weekend_then_by_hand() {
    let calendar = Calendar::named("XNYS").expect("built in");
    // Thanksgiving 2024: Thursday the 28th closed, Friday until 13:00.
    let week = calendar.sessions(date("2024-11-27"), date("2024-12-03")).expect("in the span");
    let dates: Vec<String> = week.iter().map(|session| session.date.to_string()).collect();
    assert_eq!(dates, ["2024-11-27", "2024-11-29", "2024-12-02"]);
    assert!(calendar.sessions(date("2024-11-28"), date("2024-11-29")).expect("a day").is_empty());
    assert!(calendar.sessions(date("2024-11-28"), date("2024-11-28")).expect("none").is_empty());
    let open = |at: &str| calendar.next_open(instant(at)).expect(at);
    let close = |at: &str| calendar.prev_close(instant(at)).expect(at);
    assert_eq!(open("2024-11-27 14:29"), instant("2024-11-27 14:30"));
    assert_eq!(open("2024-11-27 14:30"), instant("2024-11-29 14:30"));
    assert_eq!(close("2024-11-29 18:00"), instant("2024-11-27 21:00"));
    assert_eq!(close("2024-11-29 18:01"), instant("2024-11-29 18:00"));
    assert_eq!(calendar.on_or_after(date("2024-11-28")).expect("one").date, date("2024-11-29"));
    assert_eq!(calendar.after(date("2024-11-29")).expect("one").date, date("2024-12-02"));
    assert_eq!(calendar.end_of(date("2024-03-09")), instant("2024-03-10 05:00"));
    assert_eq!(calendar.count_between(date("2024-11-27"), date("2024-12-02")), 2);
    assert_eq!(calendar.count_between(date("2024-11-28"), date("2024-11-28")), 0);
    let error = calendar.open(date("2024-11-28")).expect_err("a holiday");
    assert_eq!(error.code(), "D305");
    assert!(error.message().contains("2024-11-27 and 2024-11-29"), "{error}");
}

#[test]
fn questions_when_outside_the_span_then_d311() {
    let calendar = Calendar::named("XSHG").expect("built in");
    let code = |error: tapeworks::base::Error| error.code();
    assert_eq!(calendar.open(date("1990-12-02")).map_err(code), Err("D311"));
    assert_eq!(calendar.session_of(instant("2027-01-02")).map_err(code), Err("D311"));
    assert_eq!(calendar.next_open(instant("2026-12-31 23:00")).map_err(code), Err("D311"));
    assert_eq!(calendar.next_open(instant("1980-01-01")).map_err(code), Err("D311"));
    assert_eq!(calendar.prev_close(instant("1990-12-03")).map_err(code), Err("D311"));
    assert_eq!(calendar.prev_close(instant("2030-01-01")).map_err(code), Err("D311"));
    let range = calendar.sessions(date("2026-12-01"), date("2027-01-02"));
    let message = range.expect_err("one day too many").to_string();
    assert!(message.contains("1990-12-03 .. 2026-12-31"), "{message}");
}

#[test]
fn named_when_unknown_then_c308_with_the_nearest() {
    for (name, hint) in [("XNYX", "XNYS"), ("NASDQ", "NASDAQ"), ("Mars", "XNYS, XLON")] {
        let error = Calendar::named(name).expect_err(name);
        assert_eq!(error.code(), "C308");
        assert!(error.hint().is_some_and(|text| text.contains(hint)), "{error}");
    }
}

#[test]
fn from_sessions_when_rows_are_wrong_then_c309() {
    let session = |day: &str, open: &str, close: &str| Session {
        date: date(day),
        open: instant(&format!("{day} {open}")),
        close: instant(&format!("{day} {close}")),
        lunch: None,
    };
    let good = [session("2024-01-02", "09:00", "12:00"), session("2024-01-04", "09:00", "12:00")];
    let own = Calendar::from_sessions("own", "UTC", good.to_vec()).expect("two sessions");
    assert_eq!(own.span(), (date("2024-01-02"), date("2024-01-04")));
    assert_eq!(own.session_of(instant("2024-01-03 10:00")).expect("between"), date("2024-01-03"));
    let noon = instant("2024-01-02 12:00");
    let lunch = Some((instant("2024-01-02 11:00"), noon));
    let wrong = [
        vec![],
        vec![good[1], good[0]],
        vec![good[0], good[0]],
        vec![session("2024-01-02", "12:00", "12:00")],
        vec![Session { lunch, ..good[0] }],
        vec![Session { close: instant("2024-01-04 10:00"), ..good[0] }, good[1]],
    ];
    for sessions in wrong {
        let error = Calendar::from_sessions("own", "UTC", sessions).expect_err("a fault");
        assert_eq!(error.code(), "C309", "{error}");
    }
    let error = Calendar::from_sessions("own", "Mars/Base", good.to_vec()).expect_err("no zone");
    assert_eq!(error.code(), "C303");
}
