import { field } from "../field.ts";
import { port, user } from "../formats.ts";

/** How sshd of a machine is reached, whether it is a node or a hypervisor. */
export const sshLogin = {
  port: field(port.default(22), "none", "TCP port of sshd."),
  user: field(
    user.default("root"),
    "none",
    "Who logs in: root, or a user with sudo that asks for no password.",
  ),
};
