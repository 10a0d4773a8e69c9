#!/usr/bin/env bash
# The tests: first the command that README gives, then what means something only in an optimised build, then the core alone.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo test
cargo test --features openmetrics2 --test openmetrics2 --test allocations --test http
cargo test --features opentelemetry --test traced
cargo test --features opentelemetry --doc current_span
cargo test --release --test stress --test disassembly
cargo test --no-default-features --lib --tests
# As where addresses have no room for tags, or some addresses have none.
RUSTFLAGS="--cfg manometer_untagged" CARGO_TARGET_DIR=target/untagged \
    cargo test --no-default-features --lib --test stress --test behaviour_labels
