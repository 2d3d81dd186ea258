#!/usr/bin/env bash
# Whether all that came to main since a stack was last brought up was approved, commit by commit. The last word before
# secrets are given out: a check of a pull request runs what that pull request says, this runs what was merged.
#
# usage: merged.sh SINCE COMMIT
#   SINCE is the commit of the last run that ended well, or empty: then COMMIT alone is looked at
#   needs git with the history of main, and what approved.sh needs
#   Exit 0, or 3 with everything that is missing; 1 where GitHub does not answer.
set -euo pipefail

since=${1?usage: merged.sh SINCE COMMIT} commit=${2:?usage: merged.sh SINCE COMMIT}
if [[ -n $since ]]; then
  git merge-base --is-ancestor "$since" "$commit" || {
    echo "$since, which was last brought up, is no ancestor of $commit: the history of main was written again" >&2
    exit 1
  }
  commits=$(git rev-list --first-parent --reverse "$since..$commit")
else
  commits=$commit
fi

missing=0
while read -r merged; do
  [[ -n $merged ]] || continue
  pulls=$(gh api "repos/$GITHUB_REPOSITORY/commits/$merged/pulls" \
    --jq '.[] | select(.merged_at != null and .base.ref == "main") | "\(.number) \(.head.sha)"')
  if [[ -z $pulls ]]; then
    echo "$merged: came to main without a pull request"
    missing=1
    continue
  fi
  read -r number head <<<"$pulls"
  status=0
  "$(dirname "$0")/approved.sh" "$number" "$head" </dev/null || status=$?
  case $status in
    0) ;;
    3) missing=1 ;;
    *) exit "$status" ;;
  esac
done <<<"$commits"
((missing == 0)) || exit 3
