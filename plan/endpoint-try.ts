import type { Config } from "../config/config.ts";
import { type StepDocument, step } from "./step.ts";

/** What the operator's machine tries out with the control planes before one of them has an API server. */
export interface EndpointTry {
  host: string;
  port: number;
  /** Addresses of control planes, with their names: another one is a load balancer's. */
  controlPlanes: Record<string, string>;
  /** Each control plane's end of it. */
  documents: Record<string, StepDocument>;
}

export function endpointTry({ cluster, nodes }: Pick<Config, "cluster" | "nodes">): EndpointTry {
  const { host, port } = cluster.endpoint;
  const controlPlanes = nodes.filter(({ role }) => role === "control-plane");
  return {
    host,
    port,
    controlPlanes: Object.fromEntries(
      controlPlanes.flatMap(({ name, addresses, ssh }) =>
        [...addresses, ssh.host].map((address) => [address, name]),
      ),
    ),
    documents: Object.fromEntries(
      controlPlanes.map(({ name }) => [
        name,
        step("endpoint", { CLUSTER: cluster.name, NODE: name, PORT: port }),
      ]),
    ),
  };
}
