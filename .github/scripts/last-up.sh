#!/usr/bin/env bash
# The commit of main that up.yaml last brought up wholly; nothing where it never has.
#
# usage: last-up.sh        prints, for GITHUB_OUTPUT: commit=<commit>
set -euo pipefail

commit=$(gh api --method GET "repos/$GITHUB_REPOSITORY/actions/workflows/up.yaml/runs" \
  -f branch=main -f status=success -f per_page=50 \
  --jq '[.workflow_runs[] | select(.event == "push")] | first | .head_sha // empty')
echo "commit=$commit"
