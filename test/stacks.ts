import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { loadStackFile } from "../config/load.ts";
import { type ClusterPlan, plan } from "../plan/plan.ts";
import { root } from "./root.ts";

/** The stacks that tests plan: those of examples/. */
export const stackFiles = {
  articles: join(root, "examples/Pulumi.articles.yaml"),
  libvirt: join(root, "examples/Pulumi.libvirt.yaml"),
  services: join(root, "examples/Pulumi.services.yaml"),
  "two-nodes": join(root, "examples/Pulumi.two-nodes.yaml"),
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
