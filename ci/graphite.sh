#!/usr/bin/env bash
# Lets the example report this machine to a real carbon, and reads what that stored.
#
# Carbon comes from PyPI, into an environment of its own under the target directory, and listens on ports of loopback that are free.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$target/graphite
mkdir -p "$tools"
if ! "$tools/venv/bin/python" -c 'import carbon, whisper' 2>/dev/null; then
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" --quiet install carbon whisper
fi
cargo build --quiet --example graphite
exec "$tools/venv/bin/python" ci/graphite_check.py "$target/debug/examples/graphite"
