//! The bundled sample: small, and the files its README describes.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

#[test]
fn sample_files_are_the_ones_their_readme_describes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
    let readme = fs::read_to_string(folder.join("README.md")).expect("the README can be read");
    let mut total_bytes = 0;
    for name in ["bars.parquet", "context.parquet", "signals.parquet"] {
        let bytes = fs::read(folder.join(name)).expect("a sample file can be read");
        total_bytes += bytes.len();
        let digest: String =
            Sha256::digest(&bytes).iter().fold(String::new(), |hex, b| format!("{hex}{b:02x}"));
        let row = format!("| `{name}` | `{digest}` |");
        assert!(readme.contains(&row), "{name} has sha256 {digest}, the README names another");
    }
    assert!(total_bytes <= 1_000_000, "the sample has {total_bytes} bytes");
}
