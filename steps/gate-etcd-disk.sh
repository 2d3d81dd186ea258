# shellcheck shell=bash
# Is the disk fast enough for etcd? fio in etcd's write pattern: small writes, fdatasync after each.

# Measured once: a benchmark under a living etcd would do the harm that it looks for.
check() { :; }

apply() {
  local parent nanoseconds milliseconds
  if [[ -d $DIRECTORY/member ]]; then
    milliseconds=$(sed -n 's/^reading=.*"etcdFsyncP99Milliseconds":\([0-9.]*\).*/\1/p' "$state/steps/gate-etcd-disk" 2>/dev/null || true)
    say "etcd runs on this disk: judging the earlier reading (${milliseconds:-none}), measuring nothing"
  else
    parent=$DIRECTORY
    [[ -d $parent ]] || parent=${DIRECTORY%/*}
    rm -rf "$parent"/.oslo-gate.* # of a run that was killed: kubeadm wants an empty directory
    directory=$(mktemp -d "$parent/.oslo-gate.XXXXXX")
    trap 'rm -rf "$directory"' EXIT
    say "fio $FIO"
    # shellcheck disable=SC2086 # words are wanted
    nanoseconds=$(fio $FIO --directory="$directory" --output-format=json |
      jq '.jobs[0].sync.lat_ns.percentile["99.000000"]')
    [[ $nanoseconds =~ ^[0-9]+$ ]] || die "fio reported no fdatasync percentile ($nanoseconds)"
    milliseconds=$(awk "BEGIN { printf \"%.3f\", $nanoseconds / 1e6 }")
  fi
  reading "{\"etcdFsyncP99Milliseconds\":${milliseconds:-null}}"
  if [[ -n $milliseconds ]] && exceeds "$milliseconds" "$P99_MILLISECONDS"; then
    die "etcd's disk on $(hostname): p99 of fdatasync is $milliseconds ms, allowed $P99_MILLISECONDS ms: leaders would be lost under load; give $DIRECTORY a local NVMe disk, or raise gates.etcdFsyncP99Milliseconds"
  fi
}
