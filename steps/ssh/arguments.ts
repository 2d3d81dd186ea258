import type { ClusterPlan } from "../../plan/plan.ts";
import type { Reach } from "../../plan/reach.ts";

/** Arguments of OpenSSH's `ssh`, up to and with the destination; through the bastion where there is one. */
export function sshArguments(reach: Reach, dial: ClusterPlan["dial"], bastion?: Reach): string[] {
  const options = (to: Reach) => [
    "-F",
    "none",
    ...pinned(to),
    // Without it, ssh offers the keys in ~/.ssh as well.
    ...["IdentityFile=none", "BatchMode=yes", `ConnectTimeout=${dial.timeoutSeconds}`].flatMap(
      (o) => ["-o", o],
    ),
    ...["ServerAliveInterval=15", "ServerAliveCountMax=4"].flatMap((o) => ["-o", o]),
    "-p",
    String(to.port),
  ];
  const jump = bastion
    ? [
        "-o",
        `ProxyCommand=ssh ${options(bastion).map(quote).join(" ")} -W [%h]:%p ${bastion.user}@${bastion.host}`,
      ]
    : [];
  return [...options(reach), ...jump, `${reach.user}@${reach.host}`];
}

/** The host key comes from the plan; no file of known hosts is read or written. */
function pinned({ host, port, hostKey }: Reach): string[] {
  const name = port === 22 ? host : `[${host}]:${port}`;
  return [
    "StrictHostKeyChecking=yes",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    `KnownHostsCommand=/bin/echo ${name} ${hostKey}`,
    `HostKeyAlgorithms=${hostKey.startsWith("ssh-rsa") ? "rsa-sha2-512,rsa-sha2-256" : hostKey.split(" ")[0]}`,
  ].flatMap((option) => ["-o", option]);
}

/** Quotes a word for sh. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
