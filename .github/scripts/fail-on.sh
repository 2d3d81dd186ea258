#!/usr/bin/env bash
# What `impact --fail-on` is to refuse: less where a maintainer's review has approved this very commit.
#
# usage: fail-on.sh PULL_REQUEST COMMIT
#   prints, for GITHUB_OUTPUT: fail-on=<labels>
set -euo pipefail

status=0
"$(dirname "$0")/approved.sh" "$@" >&2 || status=$?
case $status in
  0) echo "fail-on=impossible" ;;
  3) echo "fail-on=recreate,risk" ;;
  *) exit "$status" ;;
esac
