# shellcheck shell=bash
# containerd and Kubernetes at exact versions, from repositories with pinned keys, held.

check() {
  local package name wanted actual
  files_drift
  for package in $PACKAGES; do
    name=${package%%=*} wanted=${package#*=}
    actual=$(installed_version "$name")
    [[ $actual == "$wanted" ]] || echo "package $name: ${actual:-not installed}, expected $wanted"
    apt-mark showhold "$name" | grep -x "$name" >/dev/null || echo "package $name: not held"
  done
}

apply() {
  local repository packages
  refuse_upgrade
  for repository in $KEYRINGS; do keyring "$repository"; done
  files_apply
  read -ra packages <<<"$PACKAGES"
  say "install ${packages[*]}"
  update_own_lists
  install_packages "${packages[@]}"
  apt-mark hold "${packages[@]%%=*}" >/dev/null
}

# Packages under a living node are changed by an upgrade, in its order, and by nothing else.
refuse_upgrade() {
  local package name actual
  if [[ ! -f $state/cluster ]]; then return; fi
  for package in $PACKAGES; do
    name=${package%%=*}
    actual=$(installed_version "$name")
    [[ -z $actual || $actual == "${package#*=}" ]] ||
      die "package $name: $actual is in use, and ${package#*=} is asked for: upgrades of a living node are not built yet; put $actual back into the configuration"
  done
}

# Takes the key only if its fingerprint is the pinned one.
keyring() {
  local url=KEY_URL_$1 pinned=KEY_FINGERPRINT_$1 path=/etc/apt/keyrings/oslo-cluster-$1.gpg key found
  key=$(mktemp "$WORK/key.XXXXXX")
  install --directory --mode=0700 "$WORK/gnupg" # or gpg makes one in root's home
  export GNUPGHOME=$WORK/gnupg
  curl --fail --silent --show-error --location --retry 3 --max-time 60 --output "$key" "${!url}" ||
    die "key of the $1 repository: ${!url} does not answer; correct artifacts.$1.url"
  found=$(gpg --batch --show-keys --with-colons "$key" 2>/dev/null | awk -F: '/^fpr:/ { print $10; exit }')
  [[ $found == "${!pinned}" ]] ||
    die "key of the $1 repository: ${!url} has the fingerprint ${found:-none}, pinned is ${!pinned}; if upstream has changed its key, pin the new one in artifacts.$1.keyFingerprint"
  record_file "$path"
  gpg --batch --yes --dearmor --output "$key.gpg" "$key"
  install -D -m 0644 "$key.gpg" "$path"
}

# The machine's other lists were read by the step prerequisites.
update_own_lists() {
  local list
  for list in $(document_files | grep '\.list$'); do
    apt_get update -o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0
  done
}
