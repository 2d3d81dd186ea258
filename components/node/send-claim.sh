#!/bin/sh
# Runs on the operator's machine: claims a machine, puts the scripts there, and runs its first steps.
# Their documents come on stdin. A machine that does not answer yet is tried again.
#
#   send-claim.sh ATTEMPTS STEPS SSH…    SSH: the command that runs bash on the machine; STEPS: as
#                                        `oslo-step apply` takes them
set -eu
attempts=$1 steps=$2
shift 2
script=$(node steps/claim.[jt]s)
documents=$(cat)
status=255
while [ "$status" = 255 ] && [ "$attempts" -gt 0 ]; do
  attempts=$((attempts - 1)) status=0
  printf '%s\n%s <<\\OSLO_CLUSTER_END\n%s\nOSLO_CLUSTER_END\n' \
    "$script" "/usr/local/lib/oslo-cluster/oslo-step apply $steps" "$documents" |
    "$@" || status=$?
done
exit "$status"
