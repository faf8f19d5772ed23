#!/usr/bin/env bash
# Writes requirements/core.txt and dev.txt: every package pinned with its hashes, for all platforms and Python 3.11
# and newer. Needs `uv`. The files name no address: where packages come from is the machine's own setting.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v uv >/dev/null || { echo "make lock needs uv (https://docs.astral.sh/uv)" >&2; exit 2; }

lock() {
  local file=$1
  shift
  uv pip compile pyproject.toml "$@" --quiet --universal --python-version 3.11 --only-binary :all: \
    --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file "$file.new"
  { echo "# Made by \`make lock\` from pyproject.toml; do not edit."; cat "$file.new"; } >"$file"
  rm "$file.new"
  echo "$file: $(grep -c '==' "$file") packages"
}

lock requirements/core.txt --upgrade
lock requirements/dev.txt --upgrade --group dev --constraints requirements/core.txt
