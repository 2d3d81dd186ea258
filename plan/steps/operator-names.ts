import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";

/**
 * Each operator's own name in the audit log: sshd says which key logged in. sshd refuses connections for a moment
 * as it is reloaded, so this comes before anybody can ask for a credential over SSH.
 */
export const operatorNames = defineStep({
  name: "operator-names",
  resource: "control-plane",
  on: (_, { role }) => role === "control-plane",
  document: () => ({
    files: { "/etc/ssh/sshd_config.d/50-oslo-cluster.conf": "ExposeAuthInfo yes" },
  }),
  effects: { default: effect("live", "sshd is reloaded; connections stay") },
});
