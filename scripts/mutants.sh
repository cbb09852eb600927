#!/usr/bin/env bash
# Changes one thing in the rules at a time and looks whether a test fails: `scripts/mutants.sh [--help]`. docs/mutants.md says
# why, and which changes no test can see. It may be killed at any time and goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v python3 > /dev/null; then
    echo "== install python3"
    [ -n "$(find /var/lib/apt/lists -name '*Packages*' -print -quit 2> /dev/null)" ] || apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3
fi
# It lists what can be changed; building and testing is scripts/mutants.py, which keeps one warm tree.
if ! command -v cargo-mutants > /dev/null && [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo-mutants" ]; then
    echo "== cargo install cargo-mutants"
    nice cargo install cargo-mutants --locked --debug
fi
exec nice python3 scripts/mutants.py "$@"
