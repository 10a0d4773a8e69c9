#!/usr/bin/env bash
# Explores the models of loom-tests/. Arguments go to the test binary: `ci/loom.sh undo::` runs the models of the undo cell.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target-loom}"
export RUSTFLAGS="--cfg manometer_mocked --cfg manometer_loom -C debug-assertions"
cargo test --release --no-default-features --test loom -- "$@"
