import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";

/** Each operator's own name in the audit log: sshd says which key logged in. */
export const operatorNames = defineStep({
  name: "operator-names",
  resource: "upkeep",
  on: (_, { role }) => role === "control-plane",
  document: () => ({
    files: { "/etc/ssh/sshd_config.d/50-oslo-cluster.conf": "ExposeAuthInfo yes" },
  }),
  effects: { default: effect("live", "sshd is reloaded; connections stay") },
});
