import type { Command } from "commander";

/** Commands in the order of the help; completion, which needs them all, is added to them. A command's code is loaded when it is named. */
export const commands: Record<string, () => Promise<{ command: Command }>> = {
  init: () => import("./init.ts"),
  check: () => import("./check.ts"),
  render: () => import("./render.ts"),
  impact: () => import("./impact.ts"),
  verify: () => import("./verify.ts"),
  status: () => import("./status.ts"),
  drift: () => import("./drift.ts"),
  debug: () => import("./debug.ts"),
  etcd: () => import("./etcd.ts"),
  encryption: () => import("./encryption.ts"),
  ephemeral: () => import("./ephemeral.ts"),
};
