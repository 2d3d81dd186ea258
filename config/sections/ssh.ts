import { z } from "zod";
import { field } from "../field.ts";
import { hostKey, hostname, port, user } from "../formats.ts";

/** How nodes are reached. Keys stay in the operator's ssh-agent: none is read, passed on or stored. */
export const ssh = z.strictObject({
  dialTimeoutSeconds: field(
    z.int("not a whole number; write seconds").min(1, "too short; write 1 or more").default(15),
    "none",
    "How long one attempt to connect may take, in seconds.",
  ),
  dialAttempts: field(
    z.int("not a whole number; write a count").min(1, "too few; write 1 or more").default(4),
    "none",
    "How often connecting is tried before a node counts as unreachable.",
  ),
  bastion: field(
    z
      .strictObject({
        host: field(hostname, "none", "Where the bastion's SSH answers."),
        port: field(port.default(22), "none", "TCP port of the bastion's sshd."),
        user: field(user.default("root"), "none", "Who logs in on the bastion."),
        hostKey: field(hostKey, "none", "The bastion's public host key, pinned."),
      })
      .optional(),
    "none",
    "A host to jump through; its host key is pinned as well. Default: none.",
  ),
});
