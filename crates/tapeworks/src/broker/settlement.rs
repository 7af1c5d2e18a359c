//! Proceeds that cannot pay for opens yet.

/// Cash on its way, by the session in which it arrives.
#[derive(Debug, Clone, Default)]
pub(super) struct Settlements {
    /// (session, currency), by session.
    due: Vec<(u32, f64)>,
}

impl Settlements {
    /// Holds an amount until the open of a session. Later calls never name an earlier session.
    pub fn hold(&mut self, session: u32, amount: f64) {
        match self.due.last_mut() {
            Some((last, sum)) if *last == session => *sum += amount,
            _ => self.due.push((session, amount)),
        }
    }

    /// Lets go of what is due.
    pub fn release(&mut self, session: u32) {
        self.due.retain(|(due, _)| *due > session);
    }

    /// What is still held.
    pub fn total(&self) -> f64 {
        self.due.iter().map(|(_, amount)| amount).sum()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Settlements;

    #[test]
    fn release_when_sessions_pass_then_by_date() {
        let mut settlements = Settlements::default();
        settlements.hold(3, 10.0);
        settlements.hold(3, 5.0);
        settlements.hold(4, 2.5);
        assert_eq!(settlements.total(), 17.5);
        settlements.release(2);
        assert_eq!(settlements.total(), 17.5);
        settlements.release(3);
        assert_eq!(settlements.total(), 2.5);
        settlements.release(4);
        assert!(settlements.is_empty());
    }
}
