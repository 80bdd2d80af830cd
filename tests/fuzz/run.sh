#!/bin/sh
# Runs fuzz targets on the stable toolchain: run.sh [TARGET|all [SECONDS]], each for so many seconds, all for 60 unless it
# says otherwise. Installs cargo-fuzz where it lacks.
set -eu
cd "$(dirname "$0")"
command -v cargo-fuzz >/dev/null 2>&1 || cargo install cargo-fuzz --locked
targets="${1:-all}"
[ "$targets" != all ] || targets="framing tokenise json translate claims"
seconds="${2:-60}"
for target in $targets; do
    mkdir -p "corpus/$target" "seeds/$target"
    cargo fuzz run --fuzz-dir . -s none "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536
done
