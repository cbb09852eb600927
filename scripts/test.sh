#!/usr/bin/env bash
# Everything that CI checks. Installs what is missing, by package name, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

# Two builds share one machine's cache here; incremental files would only fill it.
export CARGO_INCREMENTAL="${CARGO_INCREMENTAL:-0}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

say() { printf '\n== %s\n' "$*"; }

# The command that must be there, and the Debian package that has it.
need() {
    local command="$1" package="$2"
    if command -v "$command" > /dev/null; then return; fi
    install "$package" "$command"
}

# The Debian package, and what it is for.
install() {
    local package="$1" command="$2"
    say "install $package (for $command)"
    export DEBIAN_FRONTEND=noninteractive
    if [ ! -d /var/lib/apt/lists ] || [ -z "$(find /var/lib/apt/lists -name '*Packages*' -print -quit)" ]; then
        apt-get update
    fi
    # Lists may be older than what the archive still has.
    apt-get install --yes --no-install-recommends "$package" \
        || { apt-get update && apt-get install --yes --no-install-recommends "$package"; }
}

# The cargo subcommand that must be there, and what else `cargo install` is told.
need_cargo() {
    local crate="$1"
    shift
    if command -v "$crate" > /dev/null || [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/$crate" ]; then return; fi
    say "cargo install $crate"
    cargo install "$crate" --locked "$@"
}

need gcc gcc
need sqlite3 sqlite3
# The peers that the edges are proved against, none of them ours: an HLR, SMSCs on three stacks, a dissector.
need osmo-hlr osmo-hlr
need osmo-msc osmo-msc
need node nodejs
need npm npm
need python3 python3
# Debian keeps the half of venv that installs pip in a package of its own.
python3 -c 'import ensurepip' 2> /dev/null || install python3-venv "python3 -m venv"
need tshark tshark
# What printed cards and receipts are read with.
need pdftoppm poppler-utils
need zbarimg zbar-tools
need_cargo cargo-nextest
# A debug build: it reads a few files once, and builds in half the time.
need_cargo cargo-deny --debug

say "SMSCs that are not ours"
scripts/peers.sh

say "cargo fmt --check"
cargo fmt --all --check

say "cargo deny check bans licenses sources"
# It looks at every platform's crates, not only at this one's.
cargo fetch --locked
cargo deny --offline check --hide-inclusion-graph bans licenses sources

say "cargo clippy"
cargo clippy --workspace --all-targets --locked -- -D warnings

# Tests switch on the rig that they share (`domain`'s feature `testing`) for everything that is built with them.
say "cargo check of what people build"
cargo check --locked -p sonmul -p lab

say "cargo nextest run"
cargo nextest run --workspace --locked --no-fail-fast

say "doc tests"
cargo test --workspace --locked --doc --quiet

# The build that is there: an optimised one takes as long as everything above together.
say "make demo ONCE=1 DEBUG=1"
make demo ONCE=1 DEBUG=1
