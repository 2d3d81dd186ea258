import { z } from "zod";
import { artifacts } from "./sections/artifacts.ts";
import { backup } from "./sections/backup.ts";
import { cilium } from "./sections/cilium.ts";
import { cluster } from "./sections/cluster.ts";
import { gates } from "./sections/gates.ts";
import { gatewayApi } from "./sections/gateway-api.ts";
import { kubernetes } from "./sections/kubernetes.ts";
import { network } from "./sections/network.ts";
import { nodes } from "./sections/nodes.ts";
import { policies } from "./sections/policies.ts";
import { sharedKernel } from "./sections/shared-kernel.ts";
import { ssh } from "./sections/ssh.ts";
import { tuning } from "./sections/tuning.ts";
import { verify } from "./sections/verify.ts";

/** One section per key of the stack's file, `oslo-cluster:<section>`. */
export const schema = z.strictObject({
  cluster,
  nodes,
  ssh: ssh.prefault({}),
  network,
  artifacts: artifacts.prefault({}),
  kubernetes: kubernetes.prefault({}),
  tuning: tuning.prefault({}),
  sharedKernel: sharedKernel.prefault({}),
  gates: gates.prefault({}),
  cilium: cilium.prefault({}),
  gatewayApi: gatewayApi.prefault({}),
  policies: policies.prefault({}),
  backup: backup.prefault({}),
  verify: verify.prefault({}),
});

/** What a person may write. */
export type ConfigInput = z.input<typeof schema>;
/** The stack's configuration as the schema leaves it; defaults that depend on other fields are in `config.ts`. */
export type ParsedConfig = z.output<typeof schema>;
