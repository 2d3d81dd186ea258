# shellcheck shell=bash
# containerd and Kubernetes at exact versions, from repositories with pinned keys, held.

logins=/etc/apt/auth.conf.d/oslo-cluster.conf

check() {
  local package name wanted actual repository
  files_drift
  for repository in $KEYRINGS; do keyring_drift "$repository"; done
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

# Installs the pinned key, and nothing else that its file may hold: apt believes every key of a keyring.
keyring() {
  local url=KEY_URL_$1 pinned=KEY_FINGERPRINT_$1 path=/etc/apt/keyrings/oslo-cluster-$1.gpg key found login=()
  key=$(mktemp "$WORK/key.XXXXXX")
  # A login to a mirror is on the node alone, where apt reads it too.
  if [[ -f $logins ]]; then login=(--netrc-file "$logins"); fi
  curl --fail --silent --show-error --location --retry 3 --retry-all-errors --max-time 60 "${login[@]}" --output "$key" "${!url}" ||
    die "key of the $1 repository: ${!url} does not answer; correct artifacts.$1.url"
  found=$(primary_keys "$key")
  [[ $found == "${!pinned}" ]] ||
    die "key of the $1 repository: ${!url} has ${found:-no key}, pinned is ${!pinned} alone; if upstream has changed its key, pin the new one in artifacts.$1.keyFingerprint"
  pinned_key "$key" "${!pinned}" >"$key.gpg"
  record_file "$path"
  install -D -m 0644 "$key.gpg" "$path"
}

keyring_drift() {
  local pinned=KEY_FINGERPRINT_$1 path=/etc/apt/keyrings/oslo-cluster-$1.gpg
  if [[ ! -s $path ]]; then
    echo "$path: missing"
  elif [[ $(primary_keys "$path") != "${!pinned}" ]] || ! pinned_key "$path" "${!pinned}" | cmp --silent - "$path"; then
    echo "$path: holds more than the key ${!pinned}, or another one"
  fi
}

# The fingerprints of a file's keys, without those of subkeys; several are joined by a comma.
primary_keys() { gpg_alone --show-keys --with-colons "$1" 2>/dev/null | awk -F: '$1 == "pub" { next_is = 1 } $1 == "fpr" && next_is { print $10; next_is = 0 }' | paste --serial --delimiters=,; }

# Prints one key of a file, as a keyring.
pinned_key() {
  gpg_alone --import "$1" 2>/dev/null || true # some of what it holds may be no key
  gpg_alone --export "$2"
}

# gpg with a key ring of this run alone: or it makes one in root's home.
gpg_alone() {
  install --directory --mode=0700 "$WORK/gnupg"
  GNUPGHOME=$WORK/gnupg gpg --batch --yes --quiet --no-autostart --no-auto-check-trustdb "$@"
}

# The machine's other lists were read by the step prerequisites.
update_own_lists() {
  local list
  for list in $(document_files | grep '\.list$'); do
    apt_get update -o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0
  done
}
