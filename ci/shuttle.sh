#!/usr/bin/env bash
# Runs the programs of shuttle-tests/ under many schedules, and then under mutants, which some schedule must find.
#
#     ci/shuttle.sh                                  2000 schedules of each of two schedulers for each program
#     MANOMETER_SCHEDULES=20000 ci/shuttle.sh        more
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target-loom}"
export RUSTFLAGS="--cfg manometer_mocked --cfg manometer_shuttle -C debug-assertions"
export RUST_BACKTRACE=0 SHUTTLE_SILENCE_WARNINGS=1
programs() { cargo test --release --no-default-features --test shuttle -- "$@"; }
programs

# The steps that a schedule alone can break, one for each kind of program.
failed=0
for mutant in remove_before_final_read record_unlocked no_recheck_insert take_without_exchange no_undo no_validate \
    reset_in_two_steps base_read_again publish_unlocked order_before_books; do
    if MANOMETER_MUTANT=$mutant programs >/dev/null 2>&1; then
        echo "$mutant: SURVIVED every schedule"
        failed=1
    else
        echo "$mutant: died"
    fi
done
exit "$failed"
