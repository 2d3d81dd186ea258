import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { hostKey } from "../host-key.ts";
import { problemsOf, stack } from "../stack.ts";

const hypervisor = (number: number) => ({
  name: `hv-${number}`,
  ssh: { host: `192.0.2.${number}`, hostKey: hostKey(`hv${number}`) },
  uplink: "eno1",
});

/** The valid stack with guests beside its machines: two on hv-1, one on hv-2. */
const base: Record<string, unknown> = {
  "network.vlan.id": 100,
  "nodes.libvirt": {
    image: { sha512: "0a".repeat(64) },
    authorizedKeys: [`${hostKey("operator")} me@example.no`],
    hypervisors: [hypervisor(1), hypervisor(2)],
    pools: [
      {
        name: "worker",
        role: "worker",
        count: 3,
        hypervisors: ["hv-1", "hv-2"],
        firstAddresses: ["10.10.0.21", "fd00:10:10::21"],
        vcpus: 2,
        memoryMebibytes: 4096,
      },
    ],
  },
};
const at = "nodes.libvirt";
const pool = `${at}.pools[0]`;
const secondPool = {
  name: "edge",
  role: "worker",
  hypervisors: ["hv-1"],
  firstAddresses: ["10.10.0.41", "fd00:10:10::41"],
  vcpus: 2,
};
const guestsStack = (changes: Record<string, unknown> = {}) => stack({ ...base, ...changes });

it("a stack with guests beside machines is taken", () => {
  expect(problemsOf(guestsStack())).toEqual([]);
});

it("a stack of guests alone is taken", () => {
  const changes = {
    "nodes.existing": undefined,
    [`${pool}.role`]: "control-plane",
    [`${pool}.count`]: 1,
  };
  expect(problemsOf(guestsStack(changes))).toEqual([]);
});

describe("refused", () => {
  it.each<[what: string, changes: Record<string, unknown>, path: string, says: string]>([
    ["no VLAN id", { "network.vlan.id": undefined }, "network.vlan.id", "guests need a VLAN"],
    ["VLAN 0", { "network.vlan.id": 0 }, "network.vlan.id", "1 to 4094"],
    ["VLAN 4095", { "network.vlan.id": 4095 }, "network.vlan.id", "1 to 4094"],
    [
      "an uplink with spaces",
      { [`${at}.hypervisors[0].uplink`]: "eno 1" },
      `${at}.hypervisors[0].uplink`,
      "interface name",
    ],
    [
      "an uplink whose VLAN device has too long a name",
      { [`${at}.hypervisors[0].uplink`]: "enp129s0f0np0" },
      `${at}.hypervisors[0].uplink`,
      "enp129s0f0np0.100",
    ],
    [
      "a short checksum",
      { [`${at}.image.sha512`]: "0a0a" },
      `${at}.image.sha512`,
      "128 hexadecimal",
    ],
    [
      "two sources of the image",
      { [`${at}.image`]: { url: "https://a.example/i", path: "/srv/i", sha512: "0a".repeat(64) } },
      `${at}.image.url`,
      "is set as well",
    ],
    [
      "an image's relative path",
      { [`${at}.image.path`]: "images/i" },
      `${at}.image.path`,
      "absolute path",
    ],
    [
      "two hypervisors of one name",
      { [`${at}.hypervisors[1].name`]: "hv-1", [`${pool}.hypervisors`]: ["hv-1"] },
      `${at}.hypervisors[1].name`,
      "another hypervisor",
    ],
    [
      "one hypervisor twice",
      { [`${at}.hypervisors[1].ssh.hostKey`]: hostKey("hv1") },
      `${at}.hypervisors[1].ssh.hostKey`,
      "hv-1 has that host key",
    ],
    [
      "a hypervisor named like a node",
      { [`${at}.hypervisors[1].name`]: "node-0", [`${pool}.hypervisors`]: ["hv-1"] },
      `${at}.hypervisors[1].name`,
      "a node has that name",
    ],
    [
      "an unknown hypervisor",
      { [`${pool}.hypervisors`]: ["hv-1", "hv-9"] },
      `${pool}.hypervisors[1]`,
      "there are: hv-1, hv-2",
    ],
    [
      "a generation of another pool's node",
      { [`${pool}.generations`]: { "edge-1": 2 } },
      `${pool}.generations.edge-1`,
      "worker-1 to worker-3",
    ],
    [
      "a generation beyond the pool",
      { [`${pool}.generations`]: { "worker-4": 2 } },
      `${pool}.generations.worker-4`,
      "worker-1 to worker-3",
    ],
    [
      "a disk for etcd on workers",
      { [`${pool}.etcdDiskGibibytes`]: 10 },
      `${pool}.etcdDiskGibibytes`,
      "no etcd",
    ],
    [
      "the host's CPU under emulation",
      { [`${at}.domainType`]: "qemu" },
      `${pool}.cpuModel`,
      "emulation",
    ],
    [
      "a pool whose nodes' names are longer than a label",
      { [`${pool}.name`]: "a".repeat(62) },
      `${pool}.name`,
      "at most 61 characters",
    ],
    [
      "two pools of one name",
      { [`${at}.pools[1]`]: { ...secondPool, name: "worker" } },
      `${at}.pools[1].name`,
      "another node (10.10.0.21)",
    ],
    [
      "an address that a machine has",
      { [`${pool}.firstAddresses`]: ["10.10.0.11", "fd00:10:10::99"] },
      `${pool}.firstAddresses[0]`,
      "node-0 has that address",
    ],
    [
      "a VLAN too small for the pool",
      { [`${pool}.firstAddresses`]: ["10.10.0.253", "fd00:10:10::99"] },
      `${pool}.firstAddresses[0]`,
      "broadcast",
    ],
    [
      "one family of two",
      { [`${pool}.firstAddresses`]: ["10.10.0.21"], [`${pool}.count`]: 1 },
      `${pool}.firstAddresses`,
      "families",
    ],
    [
      "too few CPUs to pin",
      { [`${pool}.cpuPinning`]: "2-4" },
      `${pool}.cpuPinning`,
      "2 nodes with 2 vCPUs on hv-1 need 4 CPUs, and 3 are named",
    ],
    [
      "a CPU pinned twice",
      { [`${pool}.cpuPinning`]: "2-5", [`${at}.pools[1]`]: { ...secondPool, cpuPinning: "5-6" } },
      `${at}.pools[1].cpuPinning`,
      "CPU 5 of hv-1 belongs to pool worker",
    ],
    [
      "more nodes than a cluster takes",
      { [`${pool}.count`]: 5_000_000_000 },
      `${pool}.count`,
      "at most 5000",
    ],
    [
      "more nodes than a cluster takes, in all",
      {
        [`${pool}.count`]: 4000,
        [`${at}.pools[1]`]: { ...secondPool, count: 4000 },
      },
      `${at}.pools`,
      "at most 5000",
    ],
    [
      "a CPU that no machine has",
      { [`${pool}.cpuPinning`]: "0-5000000000" },
      `${pool}.cpuPinning`,
      "8191",
    ],
    [
      "a range from its end",
      { [`${pool}.cpuPinning`]: "9-2" },
      `${pool}.cpuPinning`,
      "lower to upper",
    ],
    ["a CPU twice", { [`${pool}.cpuPinning`]: "2,2,3,4,5" }, `${pool}.cpuPinning`, "CPU 2 twice"],
    [
      "ranges that overlap themselves",
      { [`${pool}.cpuPinning`]: "2-5,4-8" },
      `${pool}.cpuPinning`,
      "CPU 4 twice",
    ],
    ["CPUs that are no list", { [`${pool}.cpuPinning`]: "2..5" }, `${pool}.cpuPinning`, "2-9,12"],
    [
      "more memory than guests may take, with the sum",
      { [`${at}.hypervisors[0].memoryMebibytes`]: 8000 },
      `${at}.hypervisors[0].memoryMebibytes`,
      "8192 MiB (worker-1 4096, worker-3 4096)",
    ],
    [
      "no key of an operator",
      { [`${at}.authorizedKeys`]: [] },
      `${at}.authorizedKeys`,
      "ssh-add -L",
    ],
    [
      "a private key in place of a public one",
      { [`${at}.authorizedKeys`]: ["-----BEGIN OPENSSH PRIVATE KEY-----"] },
      `${at}.authorizedKeys[0]`,
      "public SSH key",
    ],
  ])("%s", (_, changes, path, says) => {
    const problems = problemsOf(guestsStack(changes));
    expect(problems.map((problem) => problem.path)).toContain(path);
    const problem = problems.find((candidate) => candidate.path === path);
    expect(`${problem?.why}; ${problem?.fix}`).toContain(says);
  });
});

it.each(["it's mine", 'my "laptop"', "@HOST_KEY@", "back\\slash"])(
  "takes an operator's key with the comment %s",
  (comment) => {
    const key = `${hostKey("operator")} ${comment}`;
    expect(problemsOf(guestsStack({ [`${at}.authorizedKeys`]: [key] }))).toEqual([]);
  },
);

describe("a pool's nodes", () => {
  const nodes = (changes: Record<string, unknown> = {}) =>
    loadConfig(guestsStack(changes), "test.yaml").nodes.filter(({ guest }) => guest);

  it("are placed on its hypervisors in turn, with addresses in a row", () => {
    expect(
      nodes().map(({ name, addresses, guest }) => [name, guest?.hypervisor, addresses]),
    ).toEqual([
      ["worker-1", "hv-1", ["10.10.0.21", "fd00:10:10::21"]],
      ["worker-2", "hv-2", ["10.10.0.22", "fd00:10:10::22"]],
      ["worker-3", "hv-1", ["10.10.0.23", "fd00:10:10::23"]],
    ]);
  });

  it("have CPUs of their own, which do not move when the pool grows", () => {
    const pins = (count: number) =>
      nodes({ [`${pool}.cpuPinning`]: "2-5,8-9", [`${pool}.count`]: count }).map(
        ({ guest }) => guest?.cpus,
      );
    expect(pins(3)).toEqual([
      [2, 3],
      [2, 3],
      [4, 5],
    ]);
    expect(pins(5)).toEqual([...pins(3), [4, 5], [8, 9]]);
  });

  it("have a queue to receive and one to send for each CPU where XDP is wanted", () => {
    const queues = (acceleration: string) =>
      nodes({ "cilium.loadBalancer.acceleration": acceleration })[0]?.guest?.queues;
    expect(queues("best-effort")).toBe(4);
    expect(queues("disabled")).toBe(2);
  });
});
