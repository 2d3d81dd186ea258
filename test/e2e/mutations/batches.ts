import type { Batch } from "./mutation.ts";
import { oneNode } from "./one-node.ts";
import { otherNode } from "./other-node.ts";
import { ports } from "./ports.ts";
import { otherSettings } from "./settings.ts";

/** Everything that the lab breaks to see what turns red, in the order in which it is broken. */
export const batches: readonly Batch[] = [oneNode, otherNode, otherSettings, ...ports];
