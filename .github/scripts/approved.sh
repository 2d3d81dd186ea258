#!/usr/bin/env bash
# Whether a person who may decide has approved this very commit of a pull request, in a review.
#
# usage: approved.sh PULL_REQUEST COMMIT
#   needs gh with GH_TOKEN (pull requests: read) and GITHUB_REPOSITORY
#   Exit 0 and by whom; 3 and what is missing; 1 where GitHub does not answer. A later commit, a label and a comment
#   approve nothing, nor does who wrote the pull request or the commit.
set -euo pipefail

number=${1:?usage: approved.sh PULL_REQUEST COMMIT} commit=${2:?usage: approved.sh PULL_REQUEST COMMIT}
[[ $number =~ ^[0-9]+$ && $commit =~ ^[0-9a-f]{40}$ ]] || {
  echo "approved.sh: not a pull request and a full commit: $number $commit" >&2
  exit 1
}
repository=repos/$GITHUB_REPOSITORY

author=$(gh api "$repository/pulls/$number" --jq .user.login)
wrote=$(gh api "$repository/commits/$commit" --jq '[.author.login, .committer.login] | map(. // empty) | join(" ")')
reviews=$(gh api --paginate "$repository/pulls/$number/reviews" --jq '.[] | {user: .user.login, state, commit_id}')

# Of each person the last word; a comment is none.
last=$(jq -rs '
  map(select(.state == "APPROVED" or .state == "CHANGES_REQUESTED" or .state == "DISMISSED"))
  | group_by(.user)[] | last | "\(.user) \(.state) \(.commit_id)"' <<<"$reviews")

approvers=() objectors=() older=()
while read -r user state reviewed; do
  [[ -n $user ]] || continue
  [[ " $author $wrote " != *" $user "* ]] || continue
  role=$(gh api "$repository/collaborators/$user/permission" --jq .role_name) || role=
  [[ $role == admin || $role == maintain ]] || continue
  case $state in
    CHANGES_REQUESTED) objectors+=("$user") ;;
    APPROVED) if [[ $reviewed == "$commit" ]]; then approvers+=("$user"); else older+=("$user"); fi ;;
  esac
done <<<"$last"

if ((${#objectors[@]} > 0)); then
  echo "#$number: ${objectors[*]} asked for changes"
  exit 3
fi
if ((${#approvers[@]} == 0)); then
  if ((${#older[@]} > 0)); then
    echo "#$number: ${older[*]} approved another commit than $commit; a review of this one is needed"
  else
    echo "#$number: no review by a maintainer approves $commit"
  fi
  exit 3
fi
echo "#$number: $commit is approved by ${approvers[*]}"
