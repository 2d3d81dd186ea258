import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known } from "./texts.ts";

interface ProtectionConfig {
  /** Resources that are protected besides, by name. */
  protected: string[];
  /** Resources that may lose their protection, by name: for the one change that takes them out. */
  released: string[];
}

/** What holds etcd's disk is not destroyed by a slip. */
export const protectionPolicy: ResourceValidationPolicy = {
  name: "protected-stays-protected",
  description: "Guests with etcd's disk, and what the pack's configuration names, are protected.",
  remediationSteps:
    "Set protected: true in the guest's pool; to take it out, name it in the policy's released.",
  severity: "high",
  configSchema: {
    properties: {
      protected: { type: "array", items: { type: "string" }, default: [] },
      released: { type: "array", items: { type: "string" }, default: [] },
    },
  },
  validateResource: ({ type, name, props, opts, getConfig }, report) => {
    const config = getConfig<Partial<ProtectionConfig>>();
    if (config.released?.includes(name) || opts.protect) return;
    const hasEtcd =
      type === "command:local:Command" &&
      name.endsWith("-guest") &&
      /^ETCD_DISK='1'$/m.test(known(() => props.stdin as string) ?? "");
    if (hasEtcd) report("etcd's disk is deleted with it, and it is not protected");
    if (config.protected?.includes(name)) report("it is to be protected, and is not");
  },
};
