# shellcheck shell=bash
# What the scripts of a hypervisor share. Each reaches it with its document over SSH, runs from a
# directory of its own ($WORK), and leaves nothing of itself there.

say() { echo "$*" >&2; }

die() {
  echo "error: $*" >&2
  exit 1
}

virsh() { command virsh --connect qemu:///system --quiet "$@"; }

# Runs a verb of the script: apply, delete, or check, which changes nothing and ends with 3 where it
# has found a drift.
main() {
  local drift name
  name=$(lock)
  [[ -z $name ]] || only_one "$name"
  if [[ $1 != check ]]; then
    "$1"
  elif drift=$(check) && [[ -n $drift ]]; then
    echo "$drift"
    exit 3
  fi
}

# One at a time for each thing: a run whose SSH session was lost may still be at work.
only_one() {
  (umask 077 && : >>"/run/oslo-cluster-$1.lock") # who may read it may hold it
  exec 9>"/run/oslo-cluster-$1.lock"
  flock --timeout 900 9 || die "another run has been working on $1 on $(hostname) for 15 minutes: run again when it has ended"
}

# A directory that QEMU, a user of its own, gets through to its disks; so are those above that are missing.
make_directory() { (umask 066 && mkdir -p "$1"); }

# The UUID of a domain; nothing where there is none.
uuid_of() { virsh domuuid "$1" 2>/dev/null | tr -d '[:space:]' || true; }

running() { [[ $(virsh domstate "$1" 2>/dev/null | head -n 1) == running ]]; }

stopped() { ! running "$1"; }

# Waits until a command succeeds: wait_until SECONDS WHAT COMMAND...
wait_until() {
  local seconds=$1 deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || die "$(hostname): not within $seconds s: $what"
    sleep 0.3
  done
}
