#!/usr/bin/env bash
# Puts up a pull request's comment, or edits the one that an earlier run has put up. It runs the base's code: of the
# pull request it takes a file of text, and says above it whose code wrote that. The pull request gets the worst label in
# it, such as impact-recreate, which informs.
#
# usage: comment.sh PULL_REQUEST FILE COMMIT OWNER
#   OWNER is the repository that the commit comes from, such as o/r
#   needs gh with GH_TOKEN and GITHUB_REPOSITORY; nothing is done where there is no FILE
set -euo pipefail

number=${1:?} file=${2:?} commit=${3:?} owner=${4:?}
marker='<!-- oslo-cluster impact -->'

[[ -e $file ]] || exit 0
if [[ ! -f $file || -L $file || $(head -n 1 "$file") != "$marker" ]] || (($(wc -c <"$file") > 262144)); then
  echo "$file: not a comment of npm run impact" >&2
  exit 1
fi

if [[ $owner == "$GITHUB_REPOSITORY" ]]; then
  whose="this pull request"
else
  whose="a fork, $owner"
fi
marked=$(mktemp)
trap 'rm -f "$marked"' EXIT
{
  printf '%s\n\n> [!WARNING]\n' "$marker"
  printf '> Written by the code of %s, at %s. Who can change that code can change what is below: read its diff too.\n' "$whose" "$commit"
  tail -n +2 "$file"
} >"$marked"

comments=repos/$GITHUB_REPOSITORY/issues/$number/comments
# Of the bot's own comments alone: anyone can write the marker.
id=$(gh api --paginate "$comments" \
  --jq ".[] | select(.user.type == \"Bot\" and (.body | startswith(\"$marker\"))) | .id" | head -n 1)
if [[ -n $id ]]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F "body=@$marked" --silent
else
  gh api --method POST "$comments" -F "body=@$marked" --silent
fi

# Of the file one of these words is taken, and nothing else.
words='none|live|restart|drain|recreate|impossible'
label=$(sed -nE "2s/^<!-- label: ($words) -->\$/impact-\1/p" "$file")
[[ -n $label ]] || exit 0
labels=repos/$GITHUB_REPOSITORY/issues/$number/labels
had=$(gh api --paginate "$labels" --jq ".[].name | select(test(\"^impact-($words)$\"))")
while read -r old; do
  [[ -z $old || $old == "$label" ]] || gh api --method DELETE "$labels/$old" --silent
done <<<"$had"
grep -qxF "$label" <<<"$had" || gh api --method POST "$labels" -f "labels[]=$label" --silent
