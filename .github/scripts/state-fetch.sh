#!/usr/bin/env bash
# Lays the newest copies of the stacks' states where the preview of a pull request looks for them. Copies are made by
# main alone; what a branch or a fork uploads under the same name is passed by.
#
# usage: state-fetch.sh DIRECTORY
#   needs gh with GH_TOKEN (actions: read) and GITHUB_REPOSITORY; prints, for GITHUB_ENV: PULUMI_BACKEND_URL
#   A stack's file that gets a salt here is the work tree's own: the copy's secrets open with it.
set -euo pipefail

directory=${1:?usage: state-fetch.sh DIRECTORY}
mkdir -p "$directory"
directory=$(realpath "$directory")

for file in Pulumi.*.yaml; do
  stack=${file#Pulumi.} stack=${stack%.yaml}
  runs=$(gh api --method GET "repos/$GITHUB_REPOSITORY/actions/artifacts" -f "name=state-$stack" -f per_page=100 |
    jq -r '.artifacts | sort_by(.created_at) | reverse[] | select(.expired | not) | .workflow_run
      | select(.head_branch == "main" and .head_repository_id == .repository_id) | .id')
  for run in $runs; do
    # Of the workflows that make copies; a pull request's run is never main's.
    event=$(gh api "repos/$GITHUB_REPOSITORY/actions/runs/$run" \
      --jq 'select(.path == ".github/workflows/up.yaml" or .path == ".github/workflows/drift.yaml") | .event')
    [[ $event == push || $event == schedule || $event == workflow_dispatch ]] || continue
    scratch=$(mktemp -d)
    gh run download "$run" --repo "$GITHUB_REPOSITORY" --name "state-$stack" --dir "$scratch"
    tar -C "$directory" -xf "$scratch/state.tar"
    rm -rf "$scratch"
    without=$(sed '/^encryptionsalt:/d' "$file")
    printf '%s\n%s\n' "$without" "$(cat "$directory/salt-$stack")" >"$file"
    echo "$stack: the state as run $run left it" >&2
    break
  done
done
echo "PULUMI_BACKEND_URL=file://$directory"
