#!/usr/bin/env bash
# Switches on one mutant after the other and demands that every model whose text names it fails.
#
# The table is the models' own text: `Fails under mutant a, b.` above a model of loom-tests/. A survivor fails the run, and so
# does a mutant of src/ that no model names, a name that is no mutant, and a model that does not come to an end.
#
#     ci/loom-mutants.sh                    all of them
#     ci/loom-mutants.sh no_zero no_undo    these alone
set -euo pipefail
cd "$(dirname "$0")/.."

limit=120 # seconds for one model under one mutant

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target-loom}"
export RUSTFLAGS="--cfg manometer_mocked --cfg manometer_loom -C debug-assertions"
export RUST_BACKTRACE=0
models=$(cargo test --release --no-default-features --test loom --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

awk -f ci/mutant_pairs.awk loom-tests/*.rs >"$work/pairs"
cut -d ' ' -f 1 "$work/pairs" | sort -u >"$work/named"
find src -name '*.rs' -exec cat {} + | tr '\n' ' ' | grep -o 'mutant!( *"[a-z_]*"' | cut -d '"' -f 2 | sort -u >"$work/made"

failed=0
complain() {
    echo "$1"
    failed=1
}

for mutant in $(comm -13 "$work/named" "$work/made"); do complain "$mutant: no model names it"; done
for mutant in $(comm -23 "$work/named" "$work/made"); do complain "$mutant: named by a model, but not in src/"; done

while read -r mutant model; do
    began=$(date +%s)
    status=0
    # The shell's own word on an abort goes nowhere: an abort is a death like any other.
    { MANOMETER_MUTANT=$mutant timeout "$limit" "$models" --exact "$model" >"$work/output" 2>&1 || status=$?; } 2>/dev/null
    seconds=$(($(date +%s) - began))
    if ! grep -q '^running 1 test$' "$work/output"; then
        complain "$mutant: there is no model $model"
    elif [ "$status" -eq 0 ]; then
        complain "$mutant: SURVIVED $model ($seconds s)"
    elif [ "$status" -eq 124 ]; then
        complain "$mutant: $model found nothing in $limit s"
    else
        echo "$mutant: died in $model ($seconds s)"
    fi
done < <(if [ $# -eq 0 ]; then cat "$work/pairs"; else grep -E "^($(IFS='|' && echo "$*")) " "$work/pairs"; fi)

exit "$failed"
