import type { Config } from "../config/config.ts";
import { effect, type StepEffects } from "./effect.ts";
import { type StepDocument, step } from "./step.ts";

/** Cilium's images of a node, by the tags of its chart; none where nothing waits for them. */
export function imagesStep({ cilium }: Pick<Config, "cilium">): StepDocument {
  const images = ["cilium", "operator-generic"].map(
    (name) => `quay.io/cilium/${name}:v${cilium.version}`,
  );
  return step("images", { IMAGES: cilium.waitFor === "nothing" ? "" : images.join(" ") });
}

export const imagesEffects: StepEffects = { again: effect("live", "images are pulled") };
