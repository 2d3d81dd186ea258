#!/bin/sh
# Runs on the operator's machine: runs a command on the first control plane that can do it. What comes
# on stdin is given to each that is tried.
#
#   any-control-plane.sh [NAME COMMAND]…    exit 3: that one belongs to no cluster (yet); 75: its API does not
#                             answer; 255: it does not answer
set -eu
input=$(cat)
tried=''
while [ $# -gt 0 ]; do
  status=0
  printf '%s\n' "$input" | eval "$2" || status=$?
  case $status in
    3 | 75 | 255) tried="$tried $1" ;;
    *) exit "$status" ;;
  esac
  shift 2
done
echo "none of the control planes can be asked:$tried" >&2
exit 75
