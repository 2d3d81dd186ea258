import type { Config } from "../config/config.ts";
import { type StepDocument, step } from "./step.ts";

/** What the operator's machine tries out with the control planes before one of them has an API server. */
export interface EndpointTry {
  host: string;
  port: number;
  /** Addresses of control planes, with their names: another one is a load balancer's. */
  controlPlanes: Record<string, string>;
  /** Control planes take it in turn, and others look on. */
  virtualAddress?: string;
  /** Each node's end of it, control planes first. */
  documents: Record<string, StepDocument>;
}

/** Workers that look on as control planes take the virtual address. */
const onlookers = 2;

type Part = Pick<Config, "cluster" | "network" | "nodes">;

export function endpointTry({ cluster, network, nodes }: Part): EndpointTry {
  const { host, port, virtualAddress } = cluster.endpoint;
  const controlPlanes = nodes.filter(({ role }) => role === "control-plane");
  const workers = nodes.filter(({ role }) => role === "worker");
  const taking = virtualAddress && {
    ADDRESS: virtualAddress.address,
    INTERFACE: network.vlan.interface,
  };
  return {
    host,
    port,
    controlPlanes: Object.fromEntries(
      controlPlanes.flatMap(({ name, addresses, ssh }) =>
        [...addresses, ssh.host].map((address) => [address, name]),
      ),
    ),
    ...(virtualAddress ? { virtualAddress: virtualAddress.address } : {}),
    documents: Object.fromEntries(
      [...controlPlanes, ...(taking ? workers.slice(0, onlookers) : [])].map(({ name }) => [
        name,
        step("endpoint", { CLUSTER: cluster.name, NODE: name, PORT: port, ...taking }),
      ]),
    ),
  };
}
