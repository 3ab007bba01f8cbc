//! Prints the reference page: `cargo run -p latchkey-config --example reference > docs/configuration.md`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(latchkey_config::Config::reference().as_bytes())
}
