#!/usr/bin/env bash
# The stress tests under ThreadSanitizer, and under AddressSanitizer with LeakSanitizer, with the nightly toolchain; without one, under
# valgrind's memcheck.
#
# The standard library is built along (`-Zbuild-std`), for a sanitizer that does not see into it reports its locks as races. There
# are no suppressions. memcheck sees reads and writes of what is not, or no more, allocated, jumps by what was never written, and
# leaks; it knows nothing of races, runs one thread at a time, and leaves out the snapshots, whose writers never rest.
#
#     ci/sanitize.sh                             both sanitizers, or memcheck, at the sizes of a debug build
#     ci/sanitize.sh thread                      one of them; also: address, memcheck
#     MANOMETER_STRESS=10 ci/sanitize.sh         ten times as long
set -euo pipefail
cd "$(dirname "$0")/.."

# The sizes of a debug build, at a speed that lets threads meet.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target/sanitize}" CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only
manifest=ci/sanitize/Cargo.toml

memcheck() {
    command -v valgrind >/dev/null || { apt-get -qq update && apt-get -qq install -y valgrind; }
    local tests
    tests=$(cargo test --no-run --manifest-path "$manifest" --message-format json-render-diagnostics |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
    for test in $tests; do
        echo "== ${test##*/} under memcheck"
        valgrind -q --fair-sched=yes --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
            --error-exitcode=9 "$test" --skip snapshots::
    done
    test "$(wc -w <<<"$tests")" -eq 2
}

if [ "${1:-}" = memcheck ]; then
    memcheck
    exit
fi

host=$(rustc -vV | sed -n 's/^host: //p')
if ! sysroot=$(rustc +nightly --print sysroot 2>/dev/null) || [ ! -d "$sysroot/lib/rustlib/src/rust/library" ]; then
    echo '*****************************************************************'
    echo '* There is no nightly toolchain with rust-src here, so NO       *'
    echo '* sanitizer sees the stress tests in this run; memcheck does,   *'
    echo '* which knows nothing of races.                                 *'
    echo '*****************************************************************'
    memcheck
    exit
fi

for sanitizer in ${1:-thread address}; do
    echo "== the stress tests under the $sanitizer sanitizer"
    # A race ends the run; so does a leak, which AddressSanitizer looks for at the end of each binary.
    TSAN_OPTIONS="halt_on_error=1" ASAN_OPTIONS="detect_leaks=1" RUSTFLAGS="-Zsanitizer=$sanitizer -Zunstable-options" \
        cargo +nightly test -Zbuild-std --target "$host" --manifest-path "$manifest"
done
