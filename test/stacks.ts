import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { loadStackFile } from "../config/load.ts";
import { type ClusterPlan, plan } from "../plan/plan.ts";
import { root } from "./root.ts";

/** The stacks that tests plan: the repository's example, and others that are unlike it. */
export const stackFiles = {
  dev: join(root, "Pulumi.dev.yaml"),
  libvirt: join(root, "test/golden/Pulumi.libvirt.yaml"),
  services: join(root, "test/golden/Pulumi.services.yaml"),
  "two-nodes": join(root, "test/golden/Pulumi.two-nodes.yaml"),
};

export const stackNames = Object.keys(stackFiles) as (keyof typeof stackFiles)[];

export function configOf(name: keyof typeof stackFiles): Config {
  return loadStackFile(stackFiles[name]);
}

const plans = new Map<string, ClusterPlan>();

/** The plan of a stack, made once: the CRDs in it are long. */
export function planOf(name: keyof typeof stackFiles): ClusterPlan {
  const made = plans.get(name) ?? plan(configOf(name));
  plans.set(name, made);
  return made;
}
