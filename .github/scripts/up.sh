#!/usr/bin/env bash
# Brings a stack up under the policy pack; a second preview must be empty.
#
# usage: up.sh STACK
set -euo pipefail

stack=${1:?usage: up.sh STACK}
# The state is saved after each resource: compressed, it is a twentieth.
export PULUMI_DIY_BACKEND_ZSTD=${PULUMI_DIY_BACKEND_ZSTD:-true}
pulumi up --yes --non-interactive --stack "$stack" --policy-pack policy --policy-pack-config policy/config.json
# No snapshot of the state after each resource: a preview keeps none.
export PULUMI_EXPERIMENTAL=true PULUMI_SKIP_CHECKPOINTS=true
pulumi preview --expect-no-changes --non-interactive --stack "$stack"
