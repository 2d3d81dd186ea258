import { z } from "zod";
import { field } from "../field.ts";

/** Limits of the agent: below or above them it does not start. */
const entries = z
  .int("not a whole number; write a number of entries")
  .min(1024, "too few; write 1024 or more")
  .max(16_777_216, "too many; write 16777216 or less");

/** Sizes of the datapath's maps. A map of another size is re-created: what it held is forgotten. */
export const bpf = z.strictObject({
  mapDynamicSizeRatio: field(
    z
      .number()
      .positive("nothing; write a share such as 0.0025")
      .max(0.5, "more than half of the memory; write a share such as 0.0025")
      .default(0.0025),
    "restart",
    "Share of a node's memory for the maps of connections, NAT and neighbours that have no size below.",
  ),
  ctTcpMax: field(
    entries.optional(),
    "restart",
    "Connections of TCP that are tracked. Default: from the ratio, at least 131072.",
  ),
  ctAnyMax: field(
    entries.optional(),
    "restart",
    "Connections of other protocols that are tracked. Default: from the ratio, at least 65536.",
  ),
  natMax: field(
    entries.optional(),
    "restart",
    "Translations that are held; not more than both of the above. Default: from the ratio, at least 131072.",
  ),
  lbMapMax: field(
    entries.default(262_144),
    "restart",
    "Entries of the service maps: for each port of each address of a service one, and one per backend. The default holds 5000 services with three addresses and 16 backends each.",
  ),
});
