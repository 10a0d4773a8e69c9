#!/bin/sh
# The operator's binary: lints and tests, and then by hand: `top` in a real terminal, and the pages of a real Prometheus.
#
# tmux is the terminal. It and prometheus come from the PATH, or else Debian's packages are unpacked under the target directory:
# nothing is installed and no service starts.
set -eu
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$target/cli
mkdir -p "$tools"
PATH=$PATH:$tools/usr/bin:$target/prometheus/usr/bin
# Of tmux, a library that not every machine has is unpacked with it.
LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}$(printf ':%s' "$tools"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH

for program in tmux prometheus; do
    if ! command -v "$program" >/dev/null; then
        apt-get -qq update
        needs=$(apt-cache depends "$program" | sed -n 's/^ *Depends: \(libevent-core.*\|libutempter.*\)/\1/p')
        # As root, since apt's own user may not write here.
        (cd "$tools" && apt-get -qq -o APT::Sandbox::User=root download "$program" $needs && for one in *.deb; do dpkg -x "$one" .; done)
    fi
done

cargo clippy --package manometer-cli --all-targets -- -D warnings
cargo test --quiet --package manometer-cli
cargo build --quiet --package manometer-cli
cargo build --quiet --example server

exec python3 ci/cli_check.py "$target/debug/manometer" "$target/debug/examples/server"
