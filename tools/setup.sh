#!/usr/bin/env bash
# Makes .venv with everything that `make demo` and `make test` need. Wants only Python 3.11 or newer.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=requirements/dev.txt
log=.venv/setup.log

works() {
  command -v "$1" >/dev/null 2>&1 &&
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' >/dev/null 2>&1
}

find_python() {
  if [ -n "${PYTHON:-}" ]; then
    works "$PYTHON" && echo "$PYTHON" && return
    echo "PYTHON=$PYTHON is not Python 3.11 or newer with the modules venv and ensurepip." >&2
    return 1
  fi
  for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do
    works "$candidate" && echo "$candidate" && return
  done
  echo "Evenkeel needs Python 3.11 or newer with the modules venv and ensurepip; none was found." >&2
  echo "Install it (Debian and Ubuntu: python3 and python3-venv), or name one: make setup PYTHON=/path/to/python3" >&2
  return 1
}

# Runs a command that says nothing, shows a dot each second, and its last words if it fails.
patiently() {
  "$@" >>"$log" 2>&1 &
  local job=$!
  while kill -0 "$job" 2>/dev/null; do
    sleep 1
    printf .
  done
  echo
  wait "$job" && return
  tail -n 20 "$log" >&2
  echo "Set-up failed; the whole text is in $log. Mend the cause and run the same command again." >&2
  return 1
}

ready=.venv/.ready
if [ "$(cat "$ready" 2>/dev/null)" = "$PWD" ] && works .venv/bin/python; then
  echo "Bringing .venv up to date with the lock."
  echo "1/3 the environment is kept"
else
  python=$(find_python)
  echo "Setting up Evenkeel in .venv; this happens once."
  echo "1/3 an environment with $("$python" --version) ($(command -v "$python"))"
  "$python" -m venv --clear .venv
fi
: >"$log"
printf '2/3 %s packages, about 190 MB to fetch at first; half a minute on a fast line ' "$(grep -c '==' "$lock")"
patiently .venv/bin/python -m pip install --disable-pip-version-check --require-hashes --only-binary :all: -r "$lock"
printf '3/3 Evenkeel itself '
patiently .venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-index --no-build-isolation -e .
pwd >"$ready"
