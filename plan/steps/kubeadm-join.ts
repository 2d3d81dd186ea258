import { effect } from "../effect.ts";
import { joinFiles } from "../kubeadm.ts";
import { defineStep } from "../step.ts";

/** `kubeadm join` of a worker. */
export const kubeadmJoin = defineStep({
  name: "kubeadm-join",
  resource: "join",
  on: (_, { role }) => role === "worker",
  document: (config, node) => ({
    vars: { NODE: node.name },
    files: joinFiles(config, node),
  }),
  effects: {
    default: effect("none", "kept for the next join; a node that has joined stays as it is"),
  },
});
