#!/usr/bin/env bash
# Opens the live page of the example `page` in a real headless Chromium: searches, reads values, and compares them with the metrics;
# hostile label values, ten thousand series, a token, a server that goes away. Leaves screenshots in the target directory.
#
# Takes chromium from the PATH, or else installs Debian's; the WebSocket client that speaks with it comes from PyPI, into an
# environment of its own under the target directory. Once all that is there and built, this takes half a minute.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(realpath -m "${CARGO_TARGET_DIR:-target}")/page
mkdir -p "$tools"
if ! command -v chromium >/dev/null; then
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core
fi
if ! "$tools/venv/bin/python" -c 'import websockets' 2>/dev/null; then
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" --quiet install websockets
fi
cargo build --quiet --example page
exec "$tools/venv/bin/python" ci/page_check.py "${CARGO_TARGET_DIR:-target}/debug/examples/page" "$tools/screenshots"
