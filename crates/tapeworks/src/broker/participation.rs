//! How much of a row's volume may be filled.

/// The largest share of the traded volume that orders may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Participation {
    /// Share of the volume.
    pub max_share: f64,
    /// Which volume.
    pub basis: VolumeBasis,
    /// Who shares it.
    pub scope: CapScope,
}

/// Which volume a participation cap is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VolumeBasis {
    /// That of the row that fills.
    #[default]
    Bar,
    /// That of the row before.
    PreviousBar,
    /// The mean of so many rows before.
    Adv(u32),
}

/// Who shares a participation cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CapScope {
    /// All orders of a symbol.
    #[default]
    Symbol,
    /// Each order has its own: for parity only.
    Order,
}

impl Participation {
    /// A share of the row's own volume, shared by all orders of a symbol.
    #[must_use]
    pub fn new(max_share: f64) -> Self {
        Self { max_share, basis: VolumeBasis::Bar, scope: CapScope::Symbol }
    }

    /// The most units that may fill in a row, before what has filled already and before lots.
    ///
    /// Units: volumes in units of the instrument: of the row, of the row before, and the mean of
    /// the past ([`Past::adv`](super::Past::adv)).
    ///
    /// Missing: 0, so that orders wait, where the volume of the basis is NaN. A cap that let
    /// everything pass where the volume is unknown would be none where it matters most; of
    /// instruments that have no volume at all the caller does not ask.
    #[must_use]
    #[inline]
    pub fn cap(&self, volume: f64, previous: f64, adv: f64) -> f64 {
        let volume = match self.basis {
            VolumeBasis::Bar => volume,
            VolumeBasis::PreviousBar => previous,
            VolumeBasis::Adv(_) => adv,
        };
        if volume > 0.0 { self.max_share * volume } else { 0.0 }
    }

    /// How many rows of the past the cap looks at.
    #[must_use]
    pub fn past_rows(&self) -> usize {
        match self.basis {
            VolumeBasis::Bar => 0,
            VolumeBasis::PreviousBar => 1,
            VolumeBasis::Adv(rows) => rows as usize,
        }
    }

    /// The cap on one line, such as `0.1 of the volume of a row`.
    #[must_use]
    pub fn describe(&self) -> String {
        let scope = if self.scope == CapScope::Symbol { "" } else { ", each order" };
        let share = self.max_share;
        match self.basis {
            VolumeBasis::Bar => format!("{share} of the volume of a row{scope}"),
            VolumeBasis::PreviousBar => format!("{share} of the volume of the row before{scope}"),
            VolumeBasis::Adv(rows) => format!("{share} of the mean volume of {rows} rows{scope}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first row is oracle case 59 (ml4t-backtest 0.2.0): 100 of 1,000 a row.
    #[test]
    fn cap_when_volumes_are_known_or_not_then_a_share_or_nothing() {
        let nan = f64::NAN;
        let (bar, previous, adv) =
            (VolumeBasis::Bar, VolumeBasis::PreviousBar, VolumeBasis::Adv(20));
        for (basis, volumes, want, past_rows) in [
            (bar, (1_000.0, nan, nan), 100.0, 0),
            (bar, (nan, 400.0, 700.0), 0.0, 0),
            (bar, (0.0, 400.0, 700.0), 0.0, 0),
            (previous, (1_000.0, 400.0, 700.0), 40.0, 1),
            (previous, (1_000.0, nan, 700.0), 0.0, 1),
            (adv, (1_000.0, 400.0, 700.0), 70.0, 20),
            (adv, (1_000.0, 400.0, nan), 0.0, 20),
        ] {
            let participation = Participation { basis, ..Participation::new(0.1) };
            assert_eq!(participation.cap(volumes.0, volumes.1, volumes.2), want, "{basis:?}");
            assert_eq!(participation.past_rows(), past_rows);
        }
    }

    #[test]
    fn caps_when_described_then_share_basis_and_scope_show() {
        let mut cap = Participation::new(0.1);
        assert_eq!(cap.describe(), "0.1 of the volume of a row");
        cap.basis = VolumeBasis::PreviousBar;
        assert_eq!(cap.describe(), "0.1 of the volume of the row before");
        cap = Participation { basis: VolumeBasis::Adv(20), scope: CapScope::Order, ..cap };
        assert_eq!(cap.describe(), "0.1 of the mean volume of 20 rows, each order");
    }
}
