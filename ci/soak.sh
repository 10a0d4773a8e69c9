#!/usr/bin/env bash
# Records, creates, removes, resets and scrapes for a long time; fails unless all totals are exact and memory stays flat.
#
#     ci/soak.sh             30 minutes
#     ci/soak.sh 480         so many minutes
set -euo pipefail
cd "$(dirname "$0")/.."

MANOMETER_STRESS=${1:-30} cargo test --release --test faults -- --ignored --exact --nocapture gen_03_a_soak_is_exact_and_its_memory_flat
