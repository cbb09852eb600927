#!/usr/bin/env bash
# Installs the SMSCs that the SMPP edge is tested against, in the versions that crates/edges/tests/peers names, below
# target/peers. Does nothing when they are there. Needs node, npm, python3 with venv, and gcc.
set -euo pipefail
cd "$(dirname "$0")/.."

from=crates/edges/tests/peers
to=target/peers
mkdir -p "$to"

# A stamp holds the hash of what was asked for, so that a changed version installs again and an unchanged one is quick.
stale() {
    local stamp="$1"
    shift
    wanted="$(cat "$@" | sha256sum)"
    [ "$(cat "$to/$stamp" 2> /dev/null)" != "$wanted" ]
}

if stale npm.stamp "$from/package.json" "$from/package-lock.json"; then
    echo "install npm smpp"
    rm -rf "$to/npm"
    mkdir -p "$to/npm"
    cp "$from/package.json" "$from/package-lock.json" "$to/npm/"
    npm ci --prefix "$to/npm" --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$wanted" > "$to/npm.stamp"
fi

if stale venv.stamp "$from/requirements.txt"; then
    echo "install PyPI smpp34"
    rm -rf "$to/venv"
    python3 -m venv "$to/venv"
    "$to/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --requirement "$from/requirements.txt"
    echo "$wanted" > "$to/venv.stamp"
fi

if stale shim.stamp "$from/no_sctp.c"; then
    echo "build no_sctp.so for osmo-msc"
    gcc -shared -fPIC -O1 -o "$to/no_sctp.so" "$from/no_sctp.c" -ldl
    echo "$wanted" > "$to/shim.stamp"
fi
