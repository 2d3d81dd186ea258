#!/usr/bin/env bash
# Reads .github/environments.json, and refuses environments that share what would let one into another.
#
# usage: environments.sh FILE [STACK]
#   prints, for GITHUB_OUTPUT: stacks=<JSON list> and ephemeral=<JSON object, or null>
#   With GH_TOKEN and GITHUB_REPOSITORY, asks GitHub too: every environment with secrets that can write is limited to
#   main, and those that change a stack wait for a reviewer. STACK leaves that stack alone in the list.
#   Exit 1, with every fault: nothing may run.
set -euo pipefail

file=${1:?usage: environments.sh FILE [STACK]} only=${2:-}
faults=()

# A runner of GitHub's is a new machine for each job: no two jobs share one. Pulumi Cloud separates by token.
form=$(jq -r '
  def keys_of($wanted): (($wanted - keys) | map("lacks \(.)")) + ((keys - $wanted) | map("has an unknown key \(.)"));
  def environments: [.stacks[]? | . + {name: .stack}] + (if .ephemeral then [.ephemeral + {name: "ephemeral"}] else [] end);
  def same($key; usable): environments | map(select(.[$key] != null and (.[$key] | usable))) | group_by(.[$key])[]
    | select(length > 1) | "\(map(.name) | join(" and ")) share \($key) \(.[0][$key])";
  def place: sub("\\?.*$"; "") | sub("/+$"; "");
  (keys - ["stacks", "ephemeral"] | map("unknown key \(.)")[]),
  (if (.stacks | type) != "array" then "stacks is not a list" else empty end),
  (.stacks[]? | (.stack // "a stack") as $name | keys_of(["stack", "runner", "backend", "sshKey"])[] | "\($name) \(.)"),
  (.ephemeral // empty | keys_of(["from", "runner", "backend", "sshKey"])[] | "ephemeral \(.)"),
  (environments[] | .name as $name | if (.name // "" | tostring | test("^[a-z0-9][a-z0-9-]*$") | not)
    then "\(.name): not a stack name" else empty end),
  (environments[] | if (.sshKey // "" | tostring | test("^SHA256:[A-Za-z0-9+/]{43}$") | not)
    then "\(.name): sshKey is \(.sshKey): write the key fingerprint that ssh-add -l prints, SHA256:…" else empty end),
  (environments[] | if (.backend // "" | tostring | test("^[a-z0-9]+://.") | not)
    then "\(.name): backend is \(.backend): write a URL such as s3://bucket" else empty end),
  (.stacks // [] | map(.stack) | group_by(.)[] | select(length > 1) | "two stacks are named \(.[0])"),
  same("sshKey"; true),
  same("runner"; test("^(ubuntu|macos|windows)-") | not),
  ([environments[] | select(.backend != null and (.backend | test("^https://") | not)) | {name, place: (.backend | place)}]
    | combinations(2) | select(.[0].name < .[1].name)
    | map(.place + "/") as [$one, $other] | select(($one | startswith($other)) or ($other | startswith($one)))
    | "\(.[0].name) and \(.[1].name) share the state \(.[0].place)")
' "$file") || {
  echo "$file: cannot be read; write {\"stacks\": []} to have none" >&2
  exit 1
}
[[ -z $form ]] || mapfile -t faults <<<"$form"

# What GitHub itself must hold: no script can keep a branch from naming an environment in its own workflow.
settings() {
  local name=$1 needs_reviewer=$2 answer policies
  local at=repos/$GITHUB_REPOSITORY/environments/$name
  answer=$(gh api "$at") || {
    faults+=("environment $name: GitHub does not give its settings; make it under Settings, Environments")
    return
  }
  policies=$(gh api "$at/deployment-branch-policies" --jq '[.branch_policies[] | "\(.type // "branch") \(.name)"] | join(", ")') || policies=
  if [[ $(jq '.deployment_branch_policy.custom_branch_policies == true' <<<"$answer") != true || $policies != "branch main" ]]; then
    faults+=("environment $name: may be used from ${policies:-every branch}; limit its deployment branches to main")
  fi
  if [[ $needs_reviewer == yes && $(jq '[.protection_rules[]? | select(.type == "required_reviewers" and (.reviewers | length) > 0)] | length > 0' <<<"$answer") != true ]]; then
    faults+=("environment $name: waits for nobody; set required reviewers")
  fi
}

if ((${#faults[@]} == 0)) && [[ -n ${GH_TOKEN:-} ]]; then
  while read -r stack; do
    settings "$stack" yes
    settings "$stack-read" no
  done < <(jq -r '.stacks[].stack' "$file")
  [[ $(jq '.ephemeral == null' "$file") == true ]] || settings ephemeral no
fi

if [[ -n $only && $(jq --arg only "$only" '[.stacks[]? | select(.stack == $only)] | length' "$file") != 1 ]]; then
  faults+=("$only: no stack of $file")
fi
if ((${#faults[@]} > 0)); then
  printf "$file: %s\n" "${faults[@]}" >&2
  exit 1
fi
jq -r --arg only "$only" '
  "stacks=\([.stacks[] | select($only == "" or .stack == $only)] | tojson)", "ephemeral=\(.ephemeral | tojson)"' "$file"
