# shellcheck shell=bash
# Packages of the machine's own distribution that gates and kubelet need.

check() {
  local package
  for package in $PACKAGES; do
    [[ -n $(installed_version "$package") ]] || echo "package $package is not installed"
  done
}

apply() {
  local missing
  mapfile -t missing < <(check | cut -d' ' -f2)
  if ((${#missing[@]} == 0)); then return; fi
  say "install ${missing[*]}"
  apt_get update
  install_packages "${missing[@]}"
}
