import type { ConfigInput } from "../../../config/schema.ts";
import type { LabFacts } from "../facts.ts";
import { operatorKey } from "../hosts/keys.ts";
import { guestProgram } from "../program.ts";
import { segment } from "../segment.ts";
import { type Overrides, writeStack } from "../stack-file.ts";

/** The stack's cluster, by which its domains and files on hypervisors are known. */
export const guestCluster = "oslo-guests";

/**
 * Writes the stack's file of the guests' program: a control plane and a worker on two hypervisors, in
 * emulation, with jumbo frames on the VLAN.
 */
export async function writeGuestStack(
  facts: LabFacts,
  vary: Overrides = () => {},
): Promise<string> {
  const config = guestConfig(facts, await operatorKey());
  vary(config);
  return writeStack(guestProgram, config);
}

function guestConfig({ virtual, mirrors }: LabFacts, operator: string): ConfigInput {
  if (!virtual) throw new Error("The lab has no hypervisors: bring it up with two.");
  const { vlan, image, hypervisors } = virtual;
  const names = hypervisors.map(({ name }) => name);
  const [first = "", second = first] = names;
  return {
    cluster: { name: guestCluster },
    network: {
      vlan: { id: vlan.id, subnets: vlan.subnets, gateways: vlan.gateways },
      mtu: vlan.mtu,
    },
    nodes: {
      libvirt: {
        image,
        domainType: "qemu",
        authorizedKeys: [operator.trim()],
        nameservers: [segment.address],
        hypervisors: hypervisors.map(({ name, address, hostKey, uplink, storage }) => ({
          ...{ name, uplink, storage },
          ssh: { host: address, hostKey },
        })),
        pools: [
          {
            ...emulated,
            name: "control-plane",
            role: "control-plane",
            hypervisors: [first],
            firstAddresses: ["10.20.0.11", "fd00:10:20::11"],
            etcdDiskGibibytes: 2,
          },
          {
            ...emulated,
            name: "worker",
            role: "worker",
            hypervisors: [second],
            firstAddresses: ["10.20.0.21", "fd00:10:20::21"],
            // The two machine types that guests come with.
            machineType: "pc",
          },
        ],
      },
    },
    tuning: { ntpServers: [mirrors.ntp] },
    // The gates measure; what emulation on a busy machine cannot hold, they let pass.
    gates: {
      cpus: 1,
      etcdFsyncP99Milliseconds: 10_000,
      nodeRttMilliseconds: 200,
      diskFreePercent: 5,
    },
  };
}

/** One vCPU, since QEMU 7.2 crashes newer kernels with several; no memory lock, which wants CAP_SYS_RESOURCE. */
const emulated = {
  vcpus: 1,
  memoryMebibytes: 2048,
  diskGibibytes: 6,
  diskFormat: "qcow2",
  cpuModel: "Nehalem",
  lockedMemory: false,
  protected: false,
} as const;
