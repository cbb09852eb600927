#!/usr/bin/env bash
# Fuzzes one target, or all, one after the other: `scripts/fuzz.sh [TARGET [SECONDS]]`. A crash ends the run; its input is in
# fuzz/artifacts, and is to be added to fuzz/seeds.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${1:-}"
seconds="${2:-60}"

if ! command -v c++ > /dev/null; then
    echo "== install g++ (libFuzzer is C++)"
    [ -n "$(find /var/lib/apt/lists -name '*Packages*' -print -quit 2> /dev/null)" ] || apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends g++
fi
if ! command -v cargo-fuzz > /dev/null && [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo-fuzz" ]; then
    echo "== cargo install cargo-fuzz"
    cargo install cargo-fuzz --locked
fi

# Its own target directory: the instrumented build shares nothing with the product's.
export CARGO_TARGET_DIR="$PWD/fuzz/target"
# Coverage works on the stable compiler. Sanitizers don't, and there is no `unsafe` for them to look at.
for each in ${target:-$(cargo fuzz list)}; do
    echo "== $each, $seconds s"
    mkdir -p "fuzz/corpus/$each"
    cargo fuzz run --sanitizer none "$each" "fuzz/corpus/$each" "fuzz/seeds/$each" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
done
