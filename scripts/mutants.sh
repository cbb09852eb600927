#!/usr/bin/env bash
# Changes one thing in the rules at a time and looks whether a test fails: `scripts/mutants.sh [--help]`. docs/mutants.md says
# why, and which changes no test can see. It may be killed at any time and goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! python3 -c 'import ensurepip' 2> /dev/null; then
    echo "== install python3 with venv"
    [ -n "$(find /var/lib/apt/lists -name '*Packages*' -print -quit 2> /dev/null)" ] || apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3 python3-venv
fi
# It lists what can be changed. A debug build: it reads a few files.
if ! command -v cargo-mutants > /dev/null && [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo-mutants" ]; then
    echo "== cargo install cargo-mutants"
    nice cargo install cargo-mutants --locked --debug
fi
# It reads Rust, so that all changes fit into one build.
venv=target/mutants/venv
wanted="$(sha256sum < scripts/mutants/requirements.txt)"
if [ "$(cat "$venv/stamp" 2> /dev/null)" != "$wanted" ]; then
    echo "== install PyPI tree-sitter"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --requirement scripts/mutants/requirements.txt
    echo "$wanted" > "$venv/stamp"
fi
exec nice "$venv/bin/python" -B scripts/mutants "$@"
