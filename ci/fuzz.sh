#!/usr/bin/env bash
# Runs every fuzz target, each for so many seconds: `ci/fuzz.sh [SECONDS]`, 2 unless told otherwise. See docs/fuzzing.md.
#
# Needs the nightly toolchain, and installs cargo-fuzz if that is missing. Starts from the seeds; what it learns is kept in fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-2}
if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "SKIPPED: no nightly toolchain, so NOTHING WAS FUZZED (rustup toolchain install nightly)" >&2
    exit 0
fi
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz

# Compiling takes longer than a short run, so that is spared what makes it slow: optimisation, symbols, AddressSanitizer.
build=()
if [ "$seconds" -le 10 ]; then
    build=(--dev --sanitizer none)
    export CARGO_PROFILE_DEV_DEBUG=0
fi
cargo +nightly fuzz build "${build[@]}"

failed=""
for target in $(cargo +nightly fuzz list); do
    mkdir -p "fuzz/corpus/$target"
    log=$(mktemp)
    # Inputs of any length from the start: seeds that are longer than what is tried would be cut.
    if cargo +nightly fuzz run "${build[@]}" "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -max_len=4096 -len_control=0 -timeout=20 >"$log" 2>&1; then
        echo "$target: $(grep -o 'Done [0-9]* runs' "$log"), $(grep -o 'cov: [0-9]*' "$log" | tail -n 1)"
    else
        failed="$failed $target"
        grep -vE '^#[0-9]|NEW_FUNC|^INFO' "$log" | tail -n 60
    fi
    rm "$log"
done
if [ -n "$failed" ]; then
    echo "FAILED:$failed" >&2
    exit 1
fi
