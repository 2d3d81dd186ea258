import type { z } from "zod";

/**
 * What changing a field means on a living cluster.
 *
 * - `live`: applied in place, nothing restarts.
 * - `restart`: a unit or an agent restarts, one node after the other; running pods stay.
 * - `drain`: a node is drained before the change.
 * - `recreate`: the node or resource is re-created, or removed.
 * - `impossible`: refused on a living cluster; make a new cluster instead.
 * - `none`: only read by a check, a gate or a render; nothing on the cluster changes.
 */
export type Impact = "live" | "restart" | "drain" | "recreate" | "impossible" | "none";

/** Documents a field: what it is (with unit and source) and what changing it means. */
export function field<T extends z.ZodType>(schema: T, impact: Impact, description: string): T {
  return schema.meta({ impact, description }) as T;
}
