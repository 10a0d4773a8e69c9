#!/usr/bin/env bash
# Runs the programs of shuttle-tests/ under many schedules, and then under the mutants that their text names, which some schedule
# must find.
#
#     ci/shuttle.sh                                  2000 schedules of each of two schedulers for each program
#     MANOMETER_SCHEDULES=20000 ci/shuttle.sh        more
set -euo pipefail
cd "$(dirname "$0")/.."

limit=120 # seconds for one program under one mutant

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target-loom}"
export RUSTFLAGS="--cfg manometer_mocked --cfg manometer_shuttle -C debug-assertions"
export RUST_BACKTRACE=0 SHUTTLE_SILENCE_WARNINGS=1
cargo test --release --no-default-features --test shuttle
programs=$(cargo test --release --no-default-features --test shuttle --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')

failed=0
while read -r mutant program; do
    status=0
    # The shell's own word on an abort goes nowhere: an abort is a death like any other.
    output=$({ MANOMETER_MUTANT=$mutant timeout "$limit" "$programs" --exact "$program" 2>&1 || status=$?; echo "status $status"; } 2>/dev/null)
    case $output in
    *"running 1 test"*"status 0") echo "$mutant: SURVIVED every schedule of $program" && failed=1 ;;
    *"running 1 test"*"status 124") echo "$mutant: $program found nothing in $limit s" && failed=1 ;;
    *"running 1 test"*) echo "$mutant: died in $program" ;;
    *) echo "$mutant: there is no program $program" && failed=1 ;;
    esac
done < <(awk -f ci/mutant_pairs.awk shuttle-tests/*.rs)
exit "$failed"
