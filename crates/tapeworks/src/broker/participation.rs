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
    /// How many rows of the past the cap looks at.
    #[must_use]
    pub fn past_rows(self) -> usize {
        match self.basis {
            VolumeBasis::Bar => 0,
            VolumeBasis::PreviousBar => 1,
            VolumeBasis::Adv(rows) => rows as usize,
        }
    }

    /// A share of the row's own volume, shared by all orders of a symbol.
    #[must_use]
    pub fn new(max_share: f64) -> Self {
        Self { max_share, basis: VolumeBasis::Bar, scope: CapScope::Symbol }
    }
}
