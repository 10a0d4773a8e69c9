#!/bin/sh
# Measures what PERFORMANCE.md claims, and everything beside it.
#
#     ci/bench.sh            the claims (fails if one is missed), then every criterion bench
#     ci/bench.sh --claims   the claims alone, about a minute
#
# Give it an otherwise idle machine. Contended rows need two real cores that nothing else uses: BENCH_CORES names them
# (default 0,1; on a machine with two threads to a core, name threads of different cores). The process is confined to them, and the
# benches pin their threads to one each. Frequency is the machine's own affair; sides of a comparison take turns, so that it hits both.
#
# Leaves ratios.csv, machine.txt and criterion's raw estimates in the target directory.
set -eu
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
{
    git log -1 --format='commit %H'
    rustc -vV
    uname -sr
    cat /proc/loadavg /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor 2>/dev/null || true
    lscpu
} > "$target/machine.txt"

cargo bench --no-run
bench() { taskset -c "${BENCH_CORES:-0,1}" cargo bench --bench "$@"; }

claims=0
bench ratios -- --check || claims=$?
bench serve -- --check || claims=$?
if [ "${1:-}" != --claims ]; then
    for question in record family create collect scrape_load; do
        bench "$question"
    done
fi
exit "$claims"
