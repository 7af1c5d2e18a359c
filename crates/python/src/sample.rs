//! The real data set that travels inside the wheel.

use std::sync::Arc;

use arrow::array::RecordBatchReader;
use pyo3::prelude::*;
use tapeworks::run::sample_reader;

use crate::errors::{config_error, py_err};
use crate::feed::{Feed, PyDataFeed};
use crate::frames::Input;

/// A feed over the bundled sample: `"daily"` has real daily bars of five US shares with a model
/// score as signal and the VIX as context.
#[pyfunction]
#[pyo3(signature = (name="daily"))]
fn sample(name: &str) -> PyResult<PyDataFeed> {
    if name != "daily" {
        return Err(config_error(
            "C480",
            format!("there is no sample {name:?}"),
            "this version has tw.sample(\"daily\")",
        ));
    }
    let table = |name: &str| -> PyResult<Input> {
        let reader = sample_reader(name).map_err(py_err)?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<Vec<_>, _>>();
        let batches = batches.expect("Invariant: the bundled files are valid Parquet");
        Ok(Input::Batches(schema, Arc::new(batches)))
    };
    let (signals, context) = (table("signals")?, table("context")?);
    Ok(PyDataFeed(Arc::new(Feed::of_inputs(table("bars")?, Some(signals), Some(context)))))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sample, module)?)
}
