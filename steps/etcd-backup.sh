# shellcheck shell=bash
# Copies of the cluster's state by a timer, on this control plane's own member. Without targets the timer
# is off, and copies stay where they are.

home=$state/backup
timer=oslo-cluster-backup.timer

check() {
  files_drift
  if [[ $TARGETS == none ]]; then
    ! systemctl is-enabled --quiet "$timer" 2>/dev/null || echo "$timer is on, and no target is named"
    return
  fi
  systemctl is-active --quiet "$timer" || echo "$timer is not running"
  [[ -s $home/id_ed25519 ]] || echo "$home/id_ed25519: missing"
}

apply() {
  files_apply
  systemctl daemon-reload
  if [[ $TARGETS == none ]]; then
    if [[ -e /etc/systemd/system/$timer ]]; then systemctl --quiet disable --now "$timer"; fi
    reading '{"targets":"none"}'
    return
  fi
  (umask 077 && mkdir -p "$home")
  # Refused here and not an hour later.
  age --encrypt --recipients-file /etc/oslo-cluster/backup-recipients --output /dev/null </dev/null
  if [[ ! -s $home/id_ed25519 ]]; then
    rm -f "$home"/id_ed25519.new*
    ssh-keygen -q -t ed25519 -N '' -C "backup of $CLUSTER from $NODE" -f "$home/id_ed25519.new"
    mv "$home/id_ed25519.new.pub" "$home/id_ed25519.pub"
    mv "$home/id_ed25519.new" "$home/id_ed25519"
  fi
  systemctl --quiet enable "$timer"
  systemctl restart "$timer"
  # At once, and not waited for: a target may have to be given this node's key first.
  systemctl start --no-block oslo-cluster-backup.service
  reading "$(jq --null-input --compact-output --arg targets "$TARGETS" --arg key "$(cat "$home/id_ed25519.pub")" '{$targets, publicKey: $key}')"
}
