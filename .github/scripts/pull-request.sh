#!/usr/bin/env bash
# The open pull request whose newest commit a run was of: asked of GitHub, and not of what the run left.
#
# usage: pull-request.sh OWNER BRANCH COMMIT
#   prints, for GITHUB_OUTPUT: number=<number>, empty where the commit is no longer the newest
set -euo pipefail

number=$(gh api --method GET "repos/$GITHUB_REPOSITORY/pulls" -f state=open -f "head=${1:?}:${2:?}" |
  jq -r --arg commit "${3:?}" 'map(select(.head.sha == $commit)) | first | .number // empty')
echo "number=$number"
