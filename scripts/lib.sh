# Shared by the scripts beside it; source it. Sets ROOT and offers install_packages.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# as_root COMMAND...: runs it as root, with sudo when needed.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; return; fi
  command -v sudo >/dev/null || die "need root or sudo to run: $*"
  sudo "$@"
}

# install_packages FILE...: installs the Debian packages that the lists name and this machine lacks.
install_packages() {
  local wanted missing=()
  wanted=$(cat "$@" | sed 's/#.*//' | tr -s ' \t' '\n' | sed '/^$/d')
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: skipping package installation; needed: $(echo $wanted)"
    return
  fi
  for package in $wanted; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}" >/dev/null
}

# install_node: makes `node` and `npm` available; Debian's only where there are none.
install_node() {
  if command -v node >/dev/null && command -v npm >/dev/null; then return; fi
  say "installing: nodejs npm"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends nodejs npm >/dev/null
}

# build PRESET [TARGET...]: configures once, then builds.
build() {
  local preset=$1; shift
  cd "$ROOT"
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >"/tmp/tideline-cmake.$$" 2>&1 || {
    cat "/tmp/tideline-cmake.$$" >&2; rm -f "/tmp/tideline-cmake.$$"; die "cmake failed for preset $preset"; }
  rm -f "/tmp/tideline-cmake.$$"
  ninja -C "build/$preset" "$@"
}
