//! One constant of semantics a framework whose results can be reproduced.

use super::semantics::Semantics;

/// Every constant that a name finds.
pub const SEMANTICS: &[Semantics] = &[Semantics::REALISTIC];
