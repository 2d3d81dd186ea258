import { hostKeyPattern } from "../config/formats.ts";
import type { ClusterPlan, NodePlan, Reach } from "./plan.ts";

/**
 * The ways to a machine. Both pin its host key and take keys from the operator's ssh-agent alone
 * (SSH_AUTH_SOCK): neither state nor command line ever holds a private key.
 */
export interface NodeReach {
  name: string;
  /** What @pulumi/command's remote resources take. */
  connection: Connection;
  /** Arguments of OpenSSH's `ssh`, up to and with the destination, for what must survive a dead node. */
  sshArguments: string[];
  /** Runs a command as root, whoever logs in. */
  asRoot: (command: string) => string;
}

interface Endpoint {
  host: string;
  port: number;
  user: string;
  hostKey: string;
  dialErrorLimit: number;
  perDialTimeout: number;
}

interface Connection extends Endpoint {
  proxy?: Endpoint;
}

type Dial = ClusterPlan["dial"];

type Way = Pick<ClusterPlan, "dial" | "bastion">;

/**
 * The ways to a node.
 * @param hostKey A guest's, as its hypervisor tells it; the plan knows those of existing machines.
 * @throws Error where neither gives one: nothing is ever reached unpinned.
 */
export function nodeReach(way: Way, node: NodePlan, hostKey = node.reach.hostKey): NodeReach {
  if (hostKey === undefined) throw new Error(`${node.name}: no host key to pin`);
  // A hypervisor's word becomes a part of ssh's arguments.
  if (!hostKeyPattern.test(hostKey))
    throw new Error(`${node.name}: not a public host key: ${JSON.stringify(hostKey.slice(0, 60))}`);
  return machineReach(way, { name: node.name, reach: { ...node.reach, hostKey } });
}

/** The ways to any machine whose host key is known. */
export function machineReach(
  { dial, bastion }: Way,
  { name, reach }: { name: string; reach: Reach },
): NodeReach {
  return {
    name,
    connection: {
      ...endpoint(reach, dial),
      ...(bastion ? { proxy: endpoint(bastion, dial) } : {}),
    },
    sshArguments: sshArguments(reach, dial, bastion),
    asRoot: (command) => (reach.user === "root" ? command : `sudo -n ${command}`),
  };
}

function endpoint({ host, port, user, hostKey }: Reach, dial: Dial): Endpoint {
  return {
    host,
    port,
    user,
    hostKey,
    dialErrorLimit: dial.attempts,
    perDialTimeout: dial.timeoutSeconds,
  };
}

function sshArguments(reach: Reach, dial: Dial, bastion?: Reach): string[] {
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
