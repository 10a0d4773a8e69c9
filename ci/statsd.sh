#!/usr/bin/env bash
# Pushes random operations to a real statsd daemon, over UDP and TCP, batched and not, and compares what it holds with the engine.
#
# Takes node from the PATH, or else installs Debian's; the daemon itself comes from npm and goes under the target directory. It is
# started by the test, on ports of loopback that are free. Once all that is there, this takes half a minute.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(realpath -m "${CARGO_TARGET_DIR:-target}")/statsd
mkdir -p "$tools"
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    apt-get -qq update
    apt-get -qq install -y nodejs npm
fi
if ! test -e "$tools/node_modules/statsd/stats.js"; then
    npm install --no-audit --no-fund --silent --ignore-scripts --prefix "$tools" statsd@0.9
fi
MANOMETER_STATSD="$tools/node_modules/statsd/stats.js" cargo test --test statsd_daemon -- --ignored --nocapture
