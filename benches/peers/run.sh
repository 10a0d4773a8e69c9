#!/usr/bin/env bash
# Asks manometer and its peers everything, and rewrites what follows from it: results.csv beside this file, the tables of PERFORMANCE.md
# between their markers, the charts in docs/images.
#
#     benches/peers/run.sh                     all questions, about five minutes
#     benches/peers/run.sh counter page-1000   these alone; the other rows stay as they are
#     benches/peers/run.sh --report            measures nothing
#
# Give it an otherwise idle machine with two real cores; BENCH_CORES names them (default 0,1).
set -euo pipefail
cd "$(dirname "$0")"

cargo build --release --locked
peers=${CARGO_TARGET_DIR:-target}/release/peers
if [ "${1:-}" != --report ]; then
    read -ra questions <<<"${*:-$("$peers" list)}"
    for question in "${questions[@]}"; do
        # A process for each: one peer's list of metrics is the process's.
        taskset -c "${BENCH_CORES:-0,1}" "$peers" measure results.csv "$question"
    done
fi
"$peers" report results.csv ../../PERFORMANCE.md ../../docs/images
