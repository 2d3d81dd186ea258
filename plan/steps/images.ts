import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";

/** Cilium's images of a node, by the tags of its chart; none where nothing waits for them. */
export const images = defineStep({
  name: "images",
  // A worker waits for the control plane in the meantime; a control plane must not wait for images.
  resource: ({ role }) => (role === "worker" ? "runtime" : "images"),
  document({ cilium }) {
    const wanted = ["cilium", "operator-generic"].map(
      (name) => `quay.io/cilium/${name}:v${cilium.version}`,
    );
    return { vars: { IMAGES: cilium.waitFor === "nothing" ? "" : wanted.join(" ") } };
  },
  effects: { default: effect("live", "images are pulled") },
});
