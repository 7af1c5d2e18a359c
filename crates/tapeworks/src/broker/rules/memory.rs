//! What the rules remember of each position, as arrays over assets.

/// What is remembered of one column that rules look at.
#[derive(Debug, Clone)]
pub(super) struct ColumnMemory {
    /// Its number among the columns of the run.
    pub column: usize,
    /// Its value in the last row of each asset, held or not; NaN where missing.
    pub previous: Vec<f64>,
    /// By position: its value at the entry's decision, or the first finite one after it.
    pub anchor: Vec<f64>,
    /// By position: its last finite value.
    pub latest: Vec<f64>,
}

/// Everything that is remembered; prices and units are NaN without a position.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// Best price since the entry.
    pub water: Vec<f64>,
    /// The price that levels are measured from.
    pub base: Vec<f64>,
    /// The last close since the entry; empty while no rule looks at it.
    pub closed: Vec<f64>,
    /// Units of the first entry.
    pub first: Vec<f64>,
    /// Steps of the ladder that have fired.
    pub step: Vec<u8>,
    /// Units that the present step of the ladder has still to close; NaN: it has not begun.
    pub left: Vec<f64>,
    pub columns: Vec<ColumnMemory>,
}

impl ColumnMemory {
    fn new(column: usize, n_assets: usize) -> Self {
        let empty = vec![f64::NAN; n_assets];
        Self { column, previous: empty.clone(), anchor: empty.clone(), latest: empty }
    }

    /// Takes in the value of a row that has ended. True when it moves a level.
    fn push(&mut self, asset: usize, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        let moves = self.anchor[asset].is_nan() || self.latest[asset] != value;
        if self.anchor[asset].is_nan() {
            self.anchor[asset] = value;
        }
        self.latest[asset] = value;
        moves
    }
}

impl Memory {
    pub fn new(n_assets: usize) -> Self {
        Self {
            water: vec![f64::NAN; n_assets],
            base: vec![f64::NAN; n_assets],
            first: vec![f64::NAN; n_assets],
            step: vec![0; n_assets],
            left: vec![f64::NAN; n_assets],
            ..Self::default()
        }
    }

    /// Makes room for a column.
    pub fn add_column(&mut self, column: usize) {
        if self.columns.iter().all(|memory| memory.column != column) {
            self.columns.push(ColumnMemory::new(column, self.water.len()));
        }
    }

    /// Makes room for closes.
    pub fn add_closes(&mut self) {
        self.closed.resize(self.water.len(), f64::NAN);
    }

    /// The last close since the entry.
    #[inline]
    pub fn closed(&self, asset: usize) -> f64 {
        self.closed.get(asset).copied().unwrap_or(f64::NAN)
    }

    /// A position was opened at this moment.
    pub fn open(&mut self, asset: usize, water: f64, quantity: f64) {
        self.forget(asset);
        self.water[asset] = water;
        self.first[asset] = quantity;
        for memory in &mut self.columns {
            memory.push(asset, memory.previous[asset]);
        }
    }

    /// The values of the columns in the last row of an asset.
    pub fn previous(&self, asset: usize) -> Box<[f64]> {
        self.columns.iter().map(|memory| memory.previous[asset]).collect()
    }

    /// Puts the values of the row in which a position was decided in the place of later ones.
    pub fn anchor(&mut self, asset: usize, decided: &[f64]) {
        for (memory, &value) in self.columns.iter_mut().zip(decided) {
            if value.is_finite() {
                memory.anchor[asset] = value;
            }
        }
    }

    /// A position is gone.
    pub fn forget(&mut self, asset: usize) {
        self.water[asset] = f64::NAN;
        self.base[asset] = f64::NAN;
        self.first[asset] = f64::NAN;
        self.set_step(asset, 0);
        if let Some(closed) = self.closed.get_mut(asset) {
            *closed = f64::NAN;
        }
        for memory in &mut self.columns {
            memory.anchor[asset] = f64::NAN;
            memory.latest[asset] = f64::NAN;
        }
    }

    /// Puts a ladder on a step of which nothing has filled.
    pub fn set_step(&mut self, asset: usize, step: u8) {
        self.step[asset] = step;
        self.left[asset] = f64::NAN;
    }

    /// Takes in the columns of a row that has ended. True when they move a level.
    pub fn push_columns(&mut self, asset: usize, value: impl Fn(usize) -> f64) -> bool {
        let mut moves = false;
        for memory in &mut self.columns {
            moves |= memory.push(asset, value(memory.column));
        }
        moves
    }

    /// One old unit has become `ratio` new ones.
    pub fn split(&mut self, asset: usize, ratio: f64) {
        self.first[asset] *= ratio;
        self.left[asset] *= ratio;
        self.water[asset] /= ratio;
        self.base[asset] /= ratio;
        if let Some(closed) = self.closed.get_mut(asset) {
            *closed /= ratio;
        }
        for memory in &mut self.columns {
            memory.previous[asset] /= ratio;
            memory.anchor[asset] /= ratio;
            memory.latest[asset] /= ratio;
        }
    }
}
