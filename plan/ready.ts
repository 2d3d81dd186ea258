import type { Config } from "../config/config.ts";
import { type StepDocument, step } from "./step.ts";

/** Waits until the cluster is of use: agents rolled out, every node Ready, DNS answering. */
export function readyStep({ nodes, cilium }: Pick<Config, "nodes" | "cilium">): StepDocument {
  return step("ready", {
    WAIT_FOR: cilium.waitFor,
    NODES: nodes.map((node) => node.name).join(" "),
    TIMEOUT_SECONDS: cilium.timeoutSeconds,
  });
}
