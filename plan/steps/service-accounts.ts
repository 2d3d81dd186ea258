import { canMutate, defaultServiceAccounts } from "../api-server/default-service-accounts.ts";
import { effect } from "../effect.ts";
import { directory } from "../kubeadm.ts";
import { defineStep } from "../step.ts";

/** Default service accounts mount no token, unless that is asked for. */
export const serviceAccounts = defineStep({
  name: "service-accounts",
  resource: "upkeep",
  on: (_, { role }) => role === "control-plane",
  document({ kubernetes: { automountDefaultServiceAccountToken, minor } }) {
    const makesPolicy = !automountDefaultServiceAccountToken && canMutate(minor);
    const path = `${directory}/service-accounts.yaml`;
    const files: Record<string, string> = makesPolicy ? { [path]: defaultServiceAccounts() } : {};
    return { vars: { AUTOMOUNT: automountDefaultServiceAccountToken }, files };
  },
  effects: {
    default: effect(
      "live",
      "pods that are made from now on under a default service account have no token, or have one again; those that run keep what they have",
    ),
  },
});
