#!/usr/bin/env bash
# What needs no run: form, lints, documentation, features, and how many crates the core brings.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo fmt --manifest-path benches/peers/Cargo.toml --check
# Their lock files still say what they need: both are built with --locked.
for workspace in benches/peers fuzz; do
    cargo metadata --locked --format-version 1 --manifest-path "$workspace/Cargo.toml" >/dev/null
done
cargo clippy --all-targets -- -D warnings
cargo clippy --all-targets --no-default-features -- -D warnings
cargo clippy --lib --test openmetrics2 --features openmetrics2 -- -D warnings
cargo clippy --lib --test traced --example traced --features opentelemetry -- -D warnings
for feature in http view statsd config openmetrics2 opentelemetry; do
    cargo check --no-default-features --features "$feature"
done
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps
for checker in loom shuttle; do
    RUSTFLAGS="--cfg manometer_mocked --cfg manometer_$checker" CARGO_TARGET_DIR=target-loom \
        cargo clippy --no-default-features --test "$checker" -- -D warnings
done

# Other machines: another memory model, and addresses too narrow for tags.
for target in aarch64-unknown-linux-gnu i686-unknown-linux-gnu; do
    if [ -d "$(rustc --print target-libdir --target "$target" 2>/dev/null)" ]; then
        cargo check --no-default-features --target "$target"
    else
        echo "SKIPPED: $target is not installed, so nothing shows that this compiles there"
    fi
done

# The core stays short: at most 20 crates, itself included.
crates=$(cargo tree -e normal --no-default-features --prefix none | sort -u | wc -l)
echo "the core is $crates crates"
test "$crates" -le 20
