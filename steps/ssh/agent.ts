import { spawnSync } from "node:child_process";

/**
 * Why no machine can be reached: each is reached with the keys of the operator's ssh-agent alone. Undefined
 * where an agent answers and holds a key.
 */
export function agentProblem(): string | undefined {
  const socket = process.env.SSH_AUTH_SOCK;
  if (!socket)
    return "SSH_AUTH_SOCK is not set: machines are reached with the keys of an ssh-agent; start one and give it your key: eval $(ssh-agent) && ssh-add";
  const { status, error } = spawnSync("ssh-add", ["-l"], { timeout: 10_000 });
  if (status === 0) return undefined;
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT")
    return "ssh-add: not on PATH; install OpenSSH's client";
  return status === 1
    ? `SSH_AUTH_SOCK=${socket}: this ssh-agent holds no key; give it the one that the machines take: ssh-add`
    : `SSH_AUTH_SOCK=${socket}: no ssh-agent answers there; start one and give it your key: eval $(ssh-agent) && ssh-add`;
}
