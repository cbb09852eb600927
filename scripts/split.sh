#!/usr/bin/env bash
# Takes the debug information out of a program and lays it beside it: `scripts/split.sh PROGRAM` makes PROGRAM.debug. A panic's
# backtrace has functions and lines as long as both are in one directory; without PROGRAM.debug it has addresses, which
# `addr2line -e PROGRAM.debug` resolves. Does nothing when that was done already.
set -euo pipefail

program="$1"
debug="$program.debug"

# What was taken out is there no more; taking it out again would leave an empty file.
if ! objdump --section-headers "$program" | grep -q '\.debug_line'; then
    exit 0
fi
objcopy --only-keep-debug --compress-debug-sections=zlib "$program" "$debug"
chmod a-x "$debug"
objcopy --strip-all --add-gnu-debuglink="$debug" "$program" "$program.stripped"
# Cargo links the file under a second name: that one stays as it is, and nothing is built again.
mv "$program.stripped" "$program"
