#!/usr/bin/env bash
# What an event means for the cluster of a pull request. The label `cluster` asks for one; a review that approves the
# very commit gives it. main's own copy of this script decides.
#
# usage: cluster.sh EVENT_FILE      the event as GitHub gives it: pull_request_target, or workflow_run after a push or
#                                   a review
#   prints, for GITHUB_OUTPUT: action=up|down|none, number, commit, owner
set -euo pipefail

event=${1:?usage: cluster.sh EVENT_FILE}
field() { jq -r "$1 // empty" "$event"; }

number=$(field '.pull_request.number // .workflow_run.pull_requests[0].number')
if [[ -z $number ]]; then
  # A fork's run names none.
  printf 'action=none\n'
  exit 0
fi
pull=$(gh api "repos/$GITHUB_REPOSITORY/pulls/$number")
commit=$(jq -r .head.sha <<<"$pull")
has_label=$(jq '[.labels[].name] | index("cluster") != null' <<<"$pull")
action=none
if [[ $(jq -r .head.repo.full_name <<<"$pull") != "$GITHUB_REPOSITORY" ]]; then
  echo "#$number: a fork's code gets no machines" >&2
elif [[ $(jq -r .state <<<"$pull") == closed || ($(field .action) == unlabeled && $(field .label.name) == cluster && $has_label == false) ]]; then
  [[ $has_label == true || $(field .label.name) == cluster ]] && action=down
elif [[ $has_label == true ]]; then
  status=0
  "$(dirname "$0")/approved.sh" "$number" "$commit" >&2 || status=$?
  case $status in
    0) action=up ;;
    3) ;;
    *) exit "$status" ;;
  esac
fi
printf '%s\n' "action=$action" "number=$number" "commit=$commit" "owner=$(jq -r .user.login <<<"$pull")"
