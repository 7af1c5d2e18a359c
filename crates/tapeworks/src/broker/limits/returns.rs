//! Returns of past sessions and their worst end.

/// The last session returns of a run, the one under way included.
#[derive(Debug, Clone, Default)]
pub(super) struct SessionReturns {
    /// Oldest first, at most as many as the longest window wants besides the present one.
    past: Vec<f64>,
    longest: usize,
    /// Reused between rows.
    sorted: Vec<f64>,
}

impl SessionReturns {
    /// Keeps what a window of so many sessions needs.
    pub fn keep(&mut self, window: u32) {
        self.longest = self.longest.max(window as usize);
    }

    /// Takes in a session that is over.
    pub fn push(&mut self, session_return: f64) {
        if self.longest == 0 {
            return;
        }
        if self.past.len() + 1 >= self.longest {
            self.past.remove(0);
        }
        self.past.push(session_return);
    }

    /// Loss at the quantile of the last `window` sessions, linear between two of them, and the mean
    /// loss of those at the quantile and beyond. `None` while there are fewer sessions.
    pub fn worst(&mut self, present: f64, level: f64, window: u32) -> Option<(f64, f64)> {
        let n_past = (window as usize).checked_sub(1)?;
        let from = self.past.len().checked_sub(n_past)?;
        self.sorted.clear();
        self.sorted.extend_from_slice(&self.past[from..]);
        self.sorted.push(present);
        self.sorted.sort_by(f64::total_cmp);
        let steps = f64::from(window - 1);
        // The level is a decimal fraction: 0.9 of ten steps is the second return, not almost it.
        let place = (1e9 * (steps - level * steps)).round() / 1e9;
        let below = place.floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 <= place < window"
        )]
        let at = below as usize;
        let low = self.sorted[at];
        let high = self.sorted[(at + 1).min(self.sorted.len() - 1)];
        let quantile = low + (place - below) * (high - low);
        let tail = self.sorted.iter().take_while(|r| **r <= quantile);
        let (sum, n) = tail.fold((0.0, 0.0), |(sum, n), r| (sum + r, n + 1.0));
        Some((-quantile, -(sum / n)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worst_when_eleven_sessions_then_quantile_and_tail_by_hand() {
        let mut returns = SessionReturns::default();
        returns.keep(11);
        // one return that has left the window, then ten; the eleventh is under way
        for r in [-0.5, 0.01, -0.03, 0.02, 0.0, -0.01, 0.03, -0.02, 0.01, 0.02, 0.0] {
            returns.push(r);
        }
        // sorted: -0.04 -0.03 -0.02 -0.01 0 0 ...; place 0.1 x 10 = 1, place 0.25 x 10 = 2.5
        let (quantile, tail) = returns.worst(-0.04, 0.9, 11).expect("eleven");
        assert!((quantile - 0.03).abs() < 1e-12 && (tail - 0.035).abs() < 1e-12);
        let (quantile, tail) = returns.worst(-0.04, 0.75, 11).expect("eleven");
        assert!((quantile - 0.015).abs() < 1e-12 && (tail - 0.03).abs() < 1e-12);
        // the last three: 0.02, 0.0, -0.04; place 0.5 x 2 = 1
        let (quantile, tail) = returns.worst(-0.04, 0.5, 3).expect("three");
        assert!(quantile.abs() < 1e-12 && (tail - 0.02).abs() < 1e-12);
    }

    #[test]
    fn worst_when_sessions_are_missing_then_none() {
        let mut returns = SessionReturns::default();
        returns.keep(3);
        assert_eq!(returns.worst(0.0, 0.9, 3), None);
        returns.push(-0.01);
        assert_eq!(returns.worst(0.0, 0.9, 3), None);
        returns.push(-0.02);
        assert!(returns.worst(0.0, 0.9, 3).is_some());
    }
}
