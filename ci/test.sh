#!/usr/bin/env bash
# The tests: first the command that README gives, then the stress tests at full size, then the core without its doors.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo test
cargo test --release --test stress
cargo test --no-default-features --lib --tests
