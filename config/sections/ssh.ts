import { z } from "zod";
import { field } from "../field.ts";
import { hostKey, hostname, port, user } from "../formats.ts";

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
        host: field(hostname, "check", "Where the bastion's SSH answers."),
        port: field(port.default(22), "check", "TCP port of the bastion's sshd."),
        user: field(user.default("root"), "check", "Who logs in on the bastion."),
        hostKey: field(hostKey, "check", "The bastion's public host key, pinned."),
      })
      .optional(),
    "check",
    "A host to jump through; its host key is pinned as well. Default: none.",
  ),
});
