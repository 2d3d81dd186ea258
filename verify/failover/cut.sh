# shellcheck shell=bash disable=SC2154 # its variables come before it
# Cuts a control plane, or takes that back. A timer of the node takes it back as well, whatever becomes of whoever
# asked; so does a reboot.
#
#   $WHAT: api or network; $DO: cut or back; $SECONDS_LIMIT: after so many the timer takes it back
# Not of the prefix whose units every verify stops.
unit=oslo-failover-back
table=oslo_failover
id=$(system_containers kube-apiserver | head -n 1)
case $WHAT in
  api)
    cut() { ctr --namespace k8s.io tasks pause "$id"; }
    back="ctr --namespace k8s.io tasks resume $id"
    ;;
  network)
    # The API server and etcd, both ways; SSH and pods are left alone.
    cut() {
      nft -f - <<RULES
table inet $table {
  chain input {
    type filter hook input priority -300
    iifname != "lo" tcp dport { $PORTS } drop
    iifname != "lo" tcp sport { 2379, 2380 } drop
  }
  chain output {
    type filter hook output priority -300
    oifname != "lo" tcp sport { $PORTS } drop
    oifname != "lo" tcp dport { 2379, 2380 } drop
  }
}
RULES
    }
    back="nft delete table inet $table"
    ;;
esac
case $DO in
  cut)
    [ -n "$id" ] || {
      echo "no API server runs here" >&2
      exit 1
    }
    systemctl stop "$unit.timer" "$unit.service" 2>/dev/null || true
    systemctl reset-failed "$unit.service" 2>/dev/null || true
    systemd-run --quiet --collect --unit="$unit" --service-type=oneshot --on-active="$SECONDS_LIMIT" --timer-property=AccuracySec=1s sh -c "$back"
    cut || {
      sh -c "$back"
      systemctl stop "$unit.timer"
      exit 1
    }
    ;;
  back)
    # A paused container is not running to the runtime: the timer knows which it is.
    systemctl start "$unit.service" 2>/dev/null || true
    systemctl stop "$unit.timer" 2>/dev/null || true
    ;;
esac
