import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../plan/plan.ts";
import { quote } from "../../steps/ssh/arguments.ts";

/**
 * This machine reaches the API server's address, which would otherwise be found out once the control
 * plane is built. Fails where a control plane has the address and does not answer.
 */
export function createEndpointCheck(
  { endpoint, nodes }: Pick<ClusterPlan, "endpoint" | "nodes">,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { hostname, port } = new URL(`https://${endpoint}`);
  const host = hostname.replace(/^\[|\]$/g, "");
  const isMachine = nodes.some(
    ({ role, addresses, reach }) =>
      role === "control-plane" && [...addresses, reach.host].includes(host),
  );
  const script = readFileSync(new URL("endpoint.mjs", import.meta.url), "utf8");
  const digest = createHash("sha256").update(script).digest("hex").slice(0, 16);
  return new command.local.Command(
    "endpoint",
    {
      create: `: ${digest}; exec node --input-type=module - ${quote(host)} ${port || 443} ${isMachine}`,
      stdin: script,
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
    },
    opts,
  );
}
