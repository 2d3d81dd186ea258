import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";

/** Swap off for good: the kubelet refuses to start with it, and etcd must not be paged out. */
export const swap = defineStep({
  name: "swap",
  resource: "base",
  document: () => ({}),
  effects: { default: effect("live", "swap off, at once") },
});
