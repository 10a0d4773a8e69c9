#!/bin/sh
# Puts a real nginx in front of the example `exposed`, asks as clients that are allowed and as clients that are not, and lets a real
# Prometheus scrape with a token: directly and through nginx, in both formats.
#
# Takes nginx and prometheus from the PATH, or else unpacks Debian's packages under the target directory: nothing is installed and no
# service starts. Once all that is there and built, this takes ten seconds.
set -eu
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$target/prometheus
mkdir -p "$tools"

PATH=$PATH:/usr/sbin:$tools/usr/bin:$tools/usr/sbin
for program in nginx prometheus; do
    if ! command -v "$program" >/dev/null; then
        apt-get -qq update
        # As root, since apt's own user may not write here.
        (cd "$tools" && apt-get -qq -o APT::Sandbox::User=root download "$program" && dpkg -x "$program"_*.deb .)
    fi
done
cargo build --quiet --release --example exposed

exec python3 ci/proxy_check.py "$target/release/examples/exposed"
