import { z } from "zod";
import { field } from "../field.ts";

/** What nodes need that are containers on one host, as the lab's are; machines leave the section out. */
export const sharedKernel = z.strictObject({
  hostWide: field(
    z.boolean().default(true),
    "restart",
    "Set kernel parameters and load modules that belong to the whole machine. False for nodes that share a kernel with others (containers): these are then left out, and reported as such. A change restarts chrony.",
  ),
  restrictOomScoreAdj: field(
    z.boolean().default(false),
    "restart",
    "Clamp containerd's oom_score_adj to what the host allows; for hosts that lack CAP_SYS_RESOURCE.",
  ),
  ignorePreflightErrors: field(
    z
      .array(
        z
          .string()
          .regex(
            /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
            "not a name of kubeadm's checks; write one such as SystemVerification, or all",
          ),
      )
      .default([]),
    "restart",
    "kubeadm preflight checks to take as warnings, by kubeadm's own names; a change restarts the API server, since it is in kubeadm's document. Default: none.",
  ),
});
