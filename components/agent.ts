import { spawnSync } from "node:child_process";
import * as pulumi from "@pulumi/pulumi";

/**
 * Every machine is reached with the keys of the operator's ssh-agent. Without one, each of them would
 * be found unreachable, one after the other and in other words.
 * @throws pulumi.RunError, with the fix, where no agent answers or it holds no key.
 */
export function requireAgent(): void {
  const socket = process.env.SSH_AUTH_SOCK;
  if (!socket) {
    throw new pulumi.RunError(
      "SSH_AUTH_SOCK is not set: machines are reached with the keys of an ssh-agent; start one and give it your key: eval $(ssh-agent) && ssh-add",
    );
  }
  const { status, error } = spawnSync("ssh-add", ["-l"], { timeout: 10_000 });
  if (status === 0) return;
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
    throw new pulumi.RunError("ssh-add: not on PATH; install OpenSSH's client");
  }
  throw new pulumi.RunError(
    status === 1
      ? `SSH_AUTH_SOCK=${socket}: this ssh-agent holds no key; give it the one that the machines take: ssh-add`
      : `SSH_AUTH_SOCK=${socket}: no ssh-agent answers there; start one and give it your key: eval $(ssh-agent) && ssh-add`,
  );
}
