#!/usr/bin/env bash
# The stress tests under ThreadSanitizer, and under AddressSanitizer with LeakSanitizer, with the nightly toolchain.
#
# The standard library is built along (`-Zbuild-std`), for a sanitizer that does not see into it reports its locks as races. There
# are no suppressions. Without a nightly toolchain and its `rust-src`, this says so and checks nothing.
#
#     ci/sanitize.sh                             both, at the sizes of a debug build
#     ci/sanitize.sh thread                      one of them
#     MANOMETER_STRESS=10 ci/sanitize.sh         ten times as long
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
if ! sysroot=$(rustc +nightly --print sysroot 2>/dev/null) || [ ! -d "$sysroot/lib/rustlib/src/rust/library" ]; then
    echo '*****************************************************************'
    echo '* SKIPPED: there is no nightly toolchain with rust-src here, so *'
    echo '* NO sanitizer has seen the stress tests in this run.           *'
    echo '*****************************************************************'
    exit 0
fi

# The sizes of a debug build, at a speed that lets threads meet.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target/sanitize}" CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only
for sanitizer in ${1:-thread address}; do
    echo "== the stress tests under the $sanitizer sanitizer"
    # A race ends the run; so does a leak, which AddressSanitizer looks for at the end of each binary.
    TSAN_OPTIONS="halt_on_error=1" ASAN_OPTIONS="detect_leaks=1" RUSTFLAGS="-Zsanitizer=$sanitizer -Zunstable-options" \
        cargo +nightly test -Zbuild-std --target "$host" --manifest-path ci/sanitize/Cargo.toml
done
