#!/usr/bin/env bash
# The derives: their lints, documentation and tests, the messages of misuse among them.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo clippy -p manometer-derive --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc -p manometer-derive --no-deps
cargo test -p manometer-derive
cargo test --features derive --doc typed
