import { hostKeyPattern } from "../../config/formats.ts";
import type { ClusterPlan, NodePlan } from "../../plan/plan.ts";
import type { Reach } from "../../plan/reach.ts";
import { sshArguments } from "./arguments.ts";

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

/** How every machine of a cluster is dialled. */
type SshRoute = Pick<ClusterPlan, "dial" | "bastion">;

/**
 * The ways to a node.
 * @param hostKey A guest's, as its hypervisor tells it; the plan knows those of existing machines.
 * @throws Error where neither gives one: nothing is ever reached unpinned.
 */
export function nodeReach(
  route: SshRoute,
  node: NodePlan,
  hostKey = node.reach.hostKey,
): NodeReach {
  if (hostKey === undefined) throw new Error(`${node.name}: no host key to pin`);
  // A hypervisor's word becomes a part of ssh's arguments.
  if (!hostKeyPattern.test(hostKey))
    throw new Error(`${node.name}: not a public host key: ${JSON.stringify(hostKey.slice(0, 60))}`);
  return machineReach(route, { name: node.name, reach: { ...node.reach, hostKey } });
}

/** The ways to any machine whose host key is known. */
export function machineReach(
  { dial, bastion }: SshRoute,
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
