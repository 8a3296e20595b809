# Sourced by every script: moves to the project's root, and says what happens, how long it took,
# and what to do when it went wrong. Anything else belongs in a script of its own.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# An emptied environment may lack it, and cargo, npm and the tools below live there.
export HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}

# Where cargo puts what it builds. The site always lies in target/site: the server looks there.
target=${CARGO_TARGET_DIR:-target}

# Tools that cargo installs for us, shared by all checkouts of this person.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/rtv/tools

say() {
  printf '==> %s\n' "$*"
}

# fail WHAT ADVICE: what went wrong, and what to do next.
fail() {
  printf 'error: %s\n       %s\n' "$1" "$2" >&2
  exit 1
}

# step WHAT ADVICE COMMAND…: runs the command, with its time; the advice is for when it fails.
step() {
  local what=$1 advice=$2 started=$SECONDS status=0
  shift 2
  say "$what"
  "$@" || status=$?
  if ((status != 0)); then
    fail "\"$what\" failed with status $status after $((SECONDS - started)) s." "$advice"
  fi
  printf '    done in %s s: %s\n' $((SECONDS - started)) "$what"
}

# quietly COMMAND…: hides the output unless the command fails.
quietly() {
  local output status=0
  output=$(mktemp)
  "$@" >"$output" 2>&1 || status=$?
  if ((status != 0)); then cat "$output" >&2; fi
  rm -f "$output"
  return "$status"
}
