# Sourced by scripts that call cargo: finds a Rust that can build RTV, and knows the two ways to
# compile for the browser. Never lets rustup download a toolchain behind the person's back.

export RUSTUP_AUTO_INSTALL=0
# The answers that sqlx's macros need are checked in; `make prepare` refreshes them.
export SQLX_OFFLINE=${SQLX_OFFLINE:-true}

case ${RTV_WASM_TOOLCHAIN:-} in
  '' | debian) ;;
  *) fail "RTV_WASM_TOOLCHAIN is \"$RTV_WASM_TOOLCHAIN\"." "Leave it unset, or set it to debian." ;;
esac

rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# Is the cargo of this folder usable, and its compiler new enough?
rust_is_usable() {
  local bin=$1 version
  [[ -x $bin/cargo && -x $bin/rustc ]] || return 1
  "$bin/cargo" --version >/dev/null 2>&1 || return 1
  version=$("$bin/rustc" -vV 2>/dev/null | sed -n 's/^release: //p')
  [[ -n $version ]] || return 1
  [[ $(printf '%s\n' "$rust_wanted" "$version" | sort -V | head -n 1) == "$rust_wanted" ]]
}

# Puts a usable cargo first in PATH, its folder into $rust_bin and a description into $rust_from; returns 1
# when there is none.
# A login shell may have reset PATH, and a changed HOME leaves rustup's cargo without a toolchain:
# then the home folder that the system knows is looked at too. Debian's own compiler comes last, as
# a toolchain of rustup's has clippy and rustfmt with it.
find_rust() {
  local in_path own=${CARGO_HOME:-$HOME/.cargo}/bin home
  in_path=$(command -v cargo || true)
  in_path=${in_path%/*}
  home=$(getent passwd "$(id -u)" | cut -d: -f6)
  if [[ -n $in_path && $in_path != /usr/bin ]] && rust_is_usable "$in_path"; then
    rust_bin=$in_path rust_from=$in_path
  elif rust_is_usable "$own"; then
    rust_bin=$own rust_from=$own
  elif [[ -n $home && -r $home/.rustup/settings.toml ]] && RUSTUP_HOME=$home/.rustup rust_is_usable "$home/.cargo/bin"; then
    export RUSTUP_HOME=$home/.rustup
    rust_bin=$home/.cargo/bin rust_from="$home/.cargo/bin, with the toolchains of $RUSTUP_HOME"
  elif rust_is_usable /usr/bin; then
    rust_bin=/usr/bin rust_from="the Debian packages in /usr/bin"
  else
    return 1
  fi
  [[ $(command -v cargo) == "$rust_bin/cargo" ]] || export PATH="$rust_bin:$PATH"
}

need_rust() {
  find_rust || fail "no Rust $rust_wanted or newer was found (see find_rust in scripts/rust.sh for where)." "Install it with rustup, or run: make setup"
}

has_wasm_target() {
  [[ -d $(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib ]]
}

# Which compiler makes the browser code: the ordinary one when it knows the target, else Debian's,
# which builds the standard library from its sources. RTV_WASM_TOOLCHAIN=debian forces the second.
wasm_toolchain() {
  if [[ ${RTV_WASM_TOOLCHAIN:-} != debian ]] && has_wasm_target; then echo ordinary; else echo debian; fi
}

# Each compiler has a target folder of its own, or they throw away each other's work.
wasm_target_dir() {
  if [[ $(wasm_toolchain) == debian ]]; then echo "$target/front-debian"; else echo "$target/front"; fi
}

# wasm_cargo SUBCOMMAND ARGUMENTS…: cargo for the browser's side.
wasm_cargo() {
  local subcommand=$1
  shift
  local arguments=("$subcommand" --locked --target wasm32-unknown-unknown --target-dir "$(wasm_target_dir)")
  if [[ $(wasm_toolchain) == debian ]]; then
    # Debian ships no rust-lld, hence the linker; -Zbuild-std is why RUSTC_BOOTSTRAP is there.
    PATH=/usr/bin:$PATH RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-22 \
      /usr/bin/cargo "${arguments[@]}" -Zbuild-std=std,panic_abort "$@"
  else
    cargo "${arguments[@]}" "$@"
  fi
}
