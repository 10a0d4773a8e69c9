#!/usr/bin/env bash
# The tests: first the command that README gives, then what means something only in an optimised build, then the core alone.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo test
cargo test --release --test stress --test disassembly
cargo test --no-default-features --lib --tests
