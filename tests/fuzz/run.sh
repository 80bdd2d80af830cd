#!/bin/sh
# Runs fuzz targets on the stable toolchain: run.sh [TARGET [SECONDS]]; without a target all of them.
set -eu
cd "$(dirname "$0")"
seconds="${2:-60}"
for target in ${1:-framing tokenise json translate}; do
    mkdir -p "corpus/$target" "seeds/$target"
    cargo fuzz run --fuzz-dir . -s none "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536
done
