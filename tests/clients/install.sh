#!/bin/sh
# Installs the clients of package.json (exact versions) into build/clients/.
# Does nothing when they are there already. Needs node and npm.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=$here/../../build/clients
stamp=$target/installed.json

command -v npm >/dev/null || {
    echo "tests/clients: npm was not found; the clients are not installed" >&2
    exit 1
}
cmp -s "$here/package.json" "$stamp" && exit 0

mkdir -p "$target"
cp "$here/package.json" "$target/package.json"
npm install --prefix "$target" --no-package-lock --no-audit --no-fund --loglevel=error
cp "$here/package.json" "$stamp"
