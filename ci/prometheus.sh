#!/bin/sh
# Lets a real Prometheus scrape the example server in text, OpenMetrics and protobuf, and compares what it stored with what the
# server counted; has it find the quantiles of a native histogram; and lets it and the project's parser read names with dots.
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
# Names in quotes are read by 0.22 and later.
if ! "$tools/venv/bin/python" -c 'import prometheus_client.validation' 2>/dev/null; then
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" --quiet install 'prometheus_client>=0.22'
fi
cargo run --quiet --release --features opentelemetry --example traced | "$tools/venv/bin/python" ci/check_page.py
cargo build --quiet --release --example server --example native --example utf8

exec "$tools/venv/bin/python" ci/prometheus_check.py "$target/release/examples/server" "$target/release/examples/native" "$target/release/examples/utf8"
