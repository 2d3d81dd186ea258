import { z } from "zod";
import { field } from "../field.ts";
import { hostKey, hostname, port } from "../formats.ts";

/** How nodes are reached. Keys stay in the operator's ssh-agent: none is read, passed on or stored. */
export const ssh = z.strictObject({
  dialTimeoutSeconds: field(
    z.int("not a whole number; write seconds").min(1, "too short; write 1 or more").default(15),
    "check",
    "How long one attempt to connect may take, in seconds.",
  ),
  dialAttempts: field(
    z.int("not a whole number; write a count").min(1, "too few; write 1 or more").default(4),
    "check",
    "How often connecting is tried before a node counts as unreachable.",
  ),
  bastion: field(
    z
      .strictObject({
        host: hostname,
        port: port.default(22),
        user: z.string().default("root"),
        hostKey,
      })
      .optional(),
    "check",
    "A host to jump through; its host key is pinned as well. Default: none.",
  ),
});
