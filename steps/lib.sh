# shellcheck shell=bash
# What steps share. Sourced before each of them, with the document's vars set and WORK its directory.

# shellcheck disable=SC2034 # read by steps
state=/var/lib/oslo-cluster
kubeconfig=/etc/kubernetes/admin.conf

say() { echo "$*"; }

die() {
  echo "error: $*" >&2
  exit 1
}

# only_one FILE SECONDS OTHERWISE: until this run ends it has the lock; OTHERWISE is the error where another one has it for
# so long. A child that may outlive this run has {lock}>&-.
only_one() {
  (umask 077 && : >>"$1") # who may read it may hold it
  exec {lock}>"$1"
  flock --timeout "$2" "$lock" || die "$3"
}

# What the step has measured or made: JSON on one line, the run's stdout. No secrets.
reading() { printf '%s\n' "$1" >"$WORK/output"; }

# Refuses a machine that belongs to another cluster, or whose disk was cloned from a node.
owned() {
  local cluster machine
  [[ -f $state/claim ]] || die "$(hostname) belongs to no cluster: $state/claim is missing. A machine that was installed again has another host key: pin that in the stack's file, and run \`pulumi up\`"
  cluster=$(sed -n 's/^clusterId=//p' "$state/claim")
  machine=$(sed -n 's/^machineId=//p' "$state/claim")
  [[ $cluster == "$CLUSTER" ]] || die "$(hostname) belongs to cluster $cluster, not $CLUSTER: destroy that cluster first, or take another machine"
  [[ $machine == "$(cat /etc/machine-id)" ]] || die "this disk was claimed as machine $machine and now runs as $(cat /etc/machine-id): a clone; on the copy remove $state"
}

# True if a reading is above its limit, fractions included; what is no number ends the step, and never passes.
exceeds() {
  local number='^-?[0-9]+([.][0-9]+)?(e[+-]?[0-9]+)?$'
  [[ $1 =~ $number && $2 =~ $number ]] || die "$(hostname): not measured, or not a number: '$1' compared with '$2'"
  awk -v value="$1" -v limit="$2" 'BEGIN { exit !(value + 0 > limit + 0) }'
}

# Whether one of three tries of a command succeeds, one at once after the other.
in_three_tries() { "$@" || "$@" || "$@"; }

# Waits until a command succeeds: wait_until SECONDS WHAT COMMAND...
wait_until() {
  local seconds=$1 deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || die "$(hostname): not within $seconds s: $what; last answer: $("$@" 2>&1 | tail -n 3)"
    sleep 0.3
  done
}

document_files() {
  [[ ! -d $WORK/files ]] || find "$WORK/files" -type f -printf '/%P\n' | sort
}

# A line for each file of the document that is missing or differs.
files_drift() {
  local path
  for path in $(document_files); do
    if [[ ! -e $path ]]; then
      echo "$path: missing"
    elif ! cmp --silent "$WORK/files$path" "$path"; then
      echo "$path: differs"
    fi
  done
}

# Puts the document's files in place, each whole or not at all. CHANGED lists those that were not as
# wanted, now or in an earlier run that did not live to act on it.
files_apply() {
  local path mode
  for path in $(document_files); do
    if cmp --silent "$WORK/files$path" "$path"; then continue; fi
    say "write $path"
    record_file "$path"
    case $path in /etc/kubernetes/* | /etc/oslo-cluster/*) mode=0600 ;; *) mode=0644 ;; esac
    install -D -m "$mode" "$WORK/files$path" "$path.oslo-new"
    echo "$path" >>"$state/changed-$STEP"
    mv "$path.oslo-new" "$path"
  done
  mapfile -t CHANGED < <(cat "$state/changed-$STEP" 2>/dev/null)
}

# Remembers a file that is not the machine's own, and what was there before, for the release.
record_file() {
  local directory=${1%/*}
  mkdir -p "$state"
  if grep -qxF "$1" "$state/files" 2>/dev/null; then return; fi
  while [[ -n $directory && ! -d $directory ]]; do
    echo "$directory" >>"$state/directories"
    directory=${directory%/*}
  done
  if [[ -e $1 ]]; then
    mkdir -p "$state/backup${1%/*}"
    cp -a "$1" "$state/backup$1"
  fi
  echo "$1" >>"$state/files"
}

# Removes files below a directory that an earlier document had put there and this one has not.
files_prune() {
  local path
  while IFS= read -r path; do
    if [[ $path == "$1"/* && -e $path && ! -e $WORK/files$path ]]; then
      say "remove $path"
      rm -f "$path"
    fi
  done < <(cat "$state/files" 2>/dev/null)
}

installed_version() {
  { dpkg-query --show --showformat='${db:Status-Abbrev} ${Version}' "$1" 2>/dev/null || true; } | sed -n 's/^[ih]i *//p'
}

# What apt and dpkg say is of interest where they fail.
apt_get() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get --quiet --quiet --yes \
    -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" >"$WORK/apt.log" 2>&1 ||
    { cat "$WORK/apt.log" && return 100; }
}

# Installs packages; those that are not there yet are remembered first, for the release, and the groups
# that came with them after, since purging leaves these.
install_packages() {
  local groups=$state/groups-before
  # A run that was killed inside dpkg; or the machine's own first updates, which hold the lock.
  wait_until 600 "dpkg is free" dpkg --configure -a
  apt-get --simulate --quiet --quiet --no-install-recommends --allow-change-held-packages install "$@" |
    sed -n 's/^Inst \([^ ]*\) (.*/\1/p' >>"$state/packages"
  [[ -e $groups ]] || groups_now >"$groups" # or a run that was killed has written it
  apt_get install --no-install-recommends --allow-change-held-packages "$@"
  groups_now | comm -13 "$groups" - >>"$state/groups"
  rm "$groups"
}

groups_now() { cut -d: -f1 /etc/group | LC_ALL=C sort; }

admin() { kubectl --kubeconfig "$kubeconfig" "$@"; }

# Seconds.
ask_seconds=30
# For what may be said twice: a machine that has just started has its API server a moment later, the balancer ends
# connections to a control plane that is not ready any more, and one that has just been taken out of etcd takes some
# and answers nothing until the balancer's checks have found that out.
ask_api() {
  local deadline=$((SECONDS + ask_seconds))
  until admin "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 1
  done
}

# Writes what kubeadm join takes, from the documents' templates and what was minted, for root alone and for as
# long as this step runs.
join_documents() {
  trap 'rm -f "$WORK/join.yaml" "$WORK/discovery.conf"' EXIT
  (
    umask 077
    # By the shell itself: a command's arguments can be read by everyone.
    document=$(</etc/oslo-cluster/kubeadm-discovery.yaml)
    document=${document/__CA_CERTIFICATE__/"$CA_CERTIFICATE"}
    printf '%s\n' "${document/__TOKEN__/"$TOKEN"}" >"$WORK/discovery.conf"
    document=$(</etc/oslo-cluster/kubeadm-join.yaml)
    printf '%s\n' "${document/__DISCOVERY__/"$WORK/discovery.conf"}" >"$WORK/join.yaml"
  )
}
