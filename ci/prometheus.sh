#!/bin/sh
# Lets a real Prometheus scrape the example server in text, OpenMetrics and protobuf, and compares what it stored with what the
# server counted; and has it find the quantiles of a native histogram.
#
# Takes prometheus and promtool from the PATH, or else unpacks Debian's package under the target directory: nothing is installed
# and no service starts. The parser of the Prometheus project goes into an environment of its own there. Once all that is
# there and built, this takes less than a minute.
set -eu
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$target/prometheus
mkdir -p "$tools"

PATH=$PATH:$tools/usr/bin
if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
    apt-get -qq update
    # As root, since apt's own user may not write here.
    (cd "$tools" && apt-get -qq -o APT::Sandbox::User=root download prometheus && dpkg -x prometheus_*.deb .)
fi
if ! "$tools/venv/bin/python" -c 'import prometheus_client' 2>/dev/null; then
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" --quiet install prometheus_client
fi
cargo run --quiet --release --features opentelemetry --example traced | "$tools/venv/bin/python" ci/check_page.py
cargo build --quiet --release --example server --example native

exec "$tools/venv/bin/python" ci/prometheus_check.py "$target/release/examples/server" "$target/release/examples/native"
