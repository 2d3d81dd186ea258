#!/bin/sh
# Runs on the operator's machine: runs the step that makes a node a member of the cluster. What a join
# needs is minted by any member that answers, when it is used, and reaches the node through this pipe
# alone: it is in no argument, no log and no state. The step's document comes on stdin.
#
#   join.sh VARIABLE MEMBER APPLY [NAME MINT]…    which environment variable has the names of machines
#                                        that are gone, with commas between them; command lines: whether
#                                        the node is a member (exit 3: no);
#                                        the step; and for each control plane its minting (exit 3: it
#                                        belongs to no cluster), which ends what it reads; for a worker
#                                        whether it is a member, which prints nothing
set -eu
variable=$1 member=$2 apply=$3
abandoned=$(printenv "$variable" || :)
shift 3
document=$(cat)
secrets='' silent='' known='' mint='' status=0
eval "$member" </dev/null || status=$?
[ "$status" = 0 ] || [ "$status" = 3 ] || exit "$status"
while [ "$status" = 3 ] && [ -z "$secrets" ] && [ $# -gt 0 ]; do
  case ",$abandoned," in
    *",$1,"*) asked=3 ;;
    *) asked=0 && secrets=$(eval "$2" </dev/null) || asked=$? ;;
  esac
  case $asked in
    0) if [ -n "$secrets" ]; then mint=$2; else known="$known $1"; fi ;;
    3) ;;
    *) silent="$silent $1" secrets='' ;;
  esac
  shift 2
done
# The token ends with the join, however that ends; where this is killed, it ends by itself in five minutes.
end() {
  [ -z "$mint" ] || printf '%s\n' "$secrets" | eval "$mint" >/dev/null 2>&1 || true
}
trap end EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
if [ "$status" = 3 ] && [ -z "$secrets" ] && [ -n "${OSLO_CLUSTER_RESTORE:-}" ]; then
  echo "prepared, and no cluster is begun, since OSLO_CLUSTER_RESTORE is set: restore it now (oslo-cluster etcd restore <stack> --from TARGET --identity FILE), then run up again without it" >&2
  exit 75
fi
# Where no peer has a cluster, all have answered and no worker is a member of one, the node may begin one.
[ -n "$secrets" ] ||
  secrets=$(printf 'secrets:\n  SILENT: "%s"\n  KNOWN: "%s"\n  ABANDON: "%s"' "${silent# }" "${known# }" "$variable")
printf '%s\n%s\n' "$document" "$secrets" | eval "$apply"
