import { createHash } from "node:crypto";
import type { Config } from "../config/config.ts";
import { ciliumValues } from "./cilium.ts";
import { ciliumObjects, crdsOf } from "./cilium-objects/objects.ts";
import { effect, type StepEffects } from "./effect.ts";
import { type StepDocument, step } from "./step.ts";

/**
 * Run on any control plane that answers: waits until the cluster is of use: agents rolled out, every node Ready, DNS answering, and those of
 * Cilium's kinds served that the plan has objects of: its operator makes them, at its first start.
 */
export function readyStep(config: Config): StepDocument {
  const { nodes, cilium } = config;
  return step("ready", {
    CLUSTER: config.cluster.name,
    WAIT_FOR: cilium.waitFor,
    NODES: nodes.map((node) => node.name).join(" "),
    CRDS: crdsOf(ciliumObjects(config).objects).join(" "),
    TIMEOUT_SECONDS: cilium.timeoutSeconds,
    // Changed values are waited for as the first ones were.
    VALUES: createHash("sha256")
      .update(JSON.stringify(ciliumValues(config)))
      .digest("hex")
      .slice(0, 8),
  });
}

export const readyEffects: StepEffects = {
  default: effect("none", "`up` waits until the cluster is ready again"),
};
