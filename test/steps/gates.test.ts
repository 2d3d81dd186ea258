import { existsSync } from "node:fs";
import { test as base, expect } from "vitest";
import { type StepDocument, step } from "../../plan/step.ts";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    await use(machine);
    machine.remove();
  },
});

/** ethtool's channels: what a card has, and what of it is in use. */
const channels = (maximum: number, current: number) =>
  `printf 'Channel parameters for eth0:\\nPre-set maximums:\\nRX:\\tn/a\\nCombined:\\t${maximum}\\nCurrent hardware settings:\\nRX:\\tn/a\\nCombined:\\t${current}\\n'`;

/** mpstat's JSON, by the softirq and idle shares of each CPU. */
const mpstat = (...cpus: [soft: number, idle: number][]) => {
  const load = [["all", 0, 100], ...cpus.map(([soft, idle], i) => [String(i), soft, idle])].map(
    ([cpu, soft, idle]) => ({ cpu, soft, idle }),
  );
  const json = { sysstat: { hosts: [{ statistics: [{ "cpu-load": load }] }] } };
  return `echo '${JSON.stringify(json)}'`;
};

describeOnLinux("gate-guest", () => {
  const document = step("gate-guest", {
    CLUSTER: "oslo",
    INTERFACE: "eth0",
    QUEUES: 4,
    VCPUS: 2,
    MEMORY_MEBIBYTES: 2048,
    MEMORY_PERCENT: 90,
    SOFTIRQ_PERCENT: 50,
    WINDOW_SECONDS: 1,
  });

  /** A guest that is what was asked for: two CPUs, four queues of which two are in use. */
  function healthy(machine: Machine): void {
    machine.addOwnStep("gate-guest");
    machine.addProgram("nproc", "echo 2");
    machine.addProgram("ethtool", channels(4, 2));
    machine.addProgram("mpstat", mpstat([1, 90], [2, 95]));
    machine.write("meminfo", "MemTotal:        2014152 kB\n");
    for (const queue of ["rx-0", "rx-1", "tx-0", "tx-1"]) {
      machine.write(`net/eth0/queues/${queue}/rps_cpus`, "0\n");
    }
    machine.write("virtio/devices/virtio0/device", "0x0001\n");
  }

  test("takes a machine that is what was asked for, and reads it out", async ({ machine }) => {
    healthy(machine);
    const { exitCode, stdout, stderr } = await machine.oslo("run", document);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(stdout)).toEqual({
      queues: { current: 2, maximum: 4 },
      guestMemoryMebibytes: 1966,
      softirqPercent: [1, 2],
    });
  });

  test.for<[string, (machine: Machine) => void, RegExp, object?]>([
    [
      "fewer queues than asked for",
      (m) => m.addProgram("ethtool", channels(2, 2)),
      /queues of eth0: 2, asked for 4: .*virsh dumpxml/,
    ],
    [
      "a card that tells no queues",
      (m) => m.addProgram("ethtool", "exit 1"),
      /queues of eth0: 0, asked for 4/,
    ],
    [
      "queues that the driver does not use",
      (m) => m.addProgram("ethtool", channels(4, 1)),
      /in use: 1 \(receiving: 2\), needed 2: ethtool --set-channels eth0 combined 2/,
    ],
    ["fewer CPUs", (m) => m.addProgram("nproc", "echo 1"), /CPUs: 1, asked for 2/],
    [
      "a memory balloon",
      (m) => m.write("virtio/devices/virtio1/device", "0x0005\n"),
      /memory balloon .*virtio1: .*memballoon model='none'/,
    ],
    [
      "less memory",
      (m) => m.write("meminfo", "MemTotal: 1500000 kB\n"),
      /memory: 1464 MiB of 2048 MiB, needed 90 %/,
    ],
    [
      "less memory, by a fraction of a percent",
      (m) => m.write("meminfo", "MemTotal: 1890000 kB\n"),
      /memory: 1845 MiB of 2048 MiB, needed 90.125 %/,
      { MEMORY_PERCENT: 90.125 },
    ],
    [
      "softirq on one CPU while the other idles",
      (m) => m.addProgram("mpstat", mpstat([97.5, 0], [0, 99])),
      /CPU 0: 97.5 % softirq, allowed 50 %/,
    ],
    [
      "softirq that leaves its one CPU no time",
      (m) => m.addProgram("mpstat", mpstat([97.5, 0])),
      /CPU 0: 97.5 % softirq/,
    ],
  ])("refuses %s", async ([, spoil, says, changes], { machine }) => {
    healthy(machine);
    spoil(machine);
    const { exitCode, stderr } = await machine.oslo(
      "run",
      step("gate-guest", { ...document.vars, ...changes }),
    );
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(says);
    expect(machine.read("state/steps/gate-guest")).toBe("");
  });

  test("takes a machine that waits for its next boot to be what is asked for now", async ({
    machine,
  }) => {
    healthy(machine);
    await machine.oslo("run", document);
    const larger = step("gate-guest", { ...document.vars, VCPUS: 4, MEMORY_MEBIBYTES: 4096 });
    const { exitCode, stderr } = await machine.oslo("run", larger);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /waits for its next boot:\n.*CPUs: 2, asked for 4.*\n.*memory: 1966 MiB of 4096 MiB/,
    );
    machine.write("state/gate-guest.boot", "another boot\n");
    const later = step("gate-guest", { ...larger.vars, WINDOW_SECONDS: 2 });
    expect(await machine.oslo("run", later)).toMatchObject({ exitCode: 1 });
  });

  test("takes much softirq that every CPU shares", async ({ machine }) => {
    healthy(machine);
    machine.addProgram("mpstat", mpstat([60, 5], [70, 0]));
    expect(await machine.oslo("run", document)).toMatchObject({ exitCode: 0 });
  });

  test("finds at any later time that a balloon was put in", async ({ machine }) => {
    healthy(machine);
    await machine.oslo("run", document);
    machine.write("virtio/devices/virtio1/device", "0x0005\n");
    const { exitCode, stdout } = await machine.oslo("check", document);
    expect(exitCode).toBe(3);
    expect(stdout).toContain("memory balloon");
  });
});

describeOnLinux("gate-host", () => {
  const limits = { STEAL_PERCENT: 100, DISK_FREE_PERCENT: 20, MEMORY_MEBIBYTES: 1700, CPUS: 2 };
  const document = (changes: object) =>
    step("gate-host", {
      ...{ CLUSTER: "oslo", INTERFACE: "eth0", ADDRESSES: "10.0.0.11", MTU: 1500 },
      ...{ STEAL_WINDOW_SECONDS: 0.1, ...limits, ...changes },
    });

  /** Two CPUs, 1966 MiB, 20 % of the disk free. */
  function machineOf(machine: Machine): void {
    machine.addOwnStep("gate-host");
    machine.addProgram("nproc", "echo 2");
    machine.addProgram("df", `printf 'Use%%\\n %s\\n' 80%`);
    machine.write("meminfo", "MemTotal:        2014152 kB\n");
    machine.addProgram(
      "ip",
      `case "$*" in
*"link show dev eth0") echo "2: eth0: <UP> mtu 1500 qdisc fq" ;;
*"address show dev eth0") echo "2: eth0 inet 10.0.0.11/24 scope global eth0" ;;
esac`,
    );
  }

  test.for([
    {},
    { DISK_FREE_PERCENT: 19.99 },
    { CPUS: 1.5 },
    { MEMORY_MEBIBYTES: 1965.5 },
    { DISK_FREE_PERCENT: 1e-7 },
  ])("takes a machine within %j", async (changes, { machine }) => {
    machineOf(machine);
    const { exitCode, stderr } = await machine.oslo("run", document(changes));
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  });

  test.for([
    [{ DISK_FREE_PERCENT: 21 }, "free disk below /var/lib: 20 %, needed 21 %"],
    [{ DISK_FREE_PERCENT: 20.5 }, "free disk below /var/lib: 20 %, needed 20.5 %"],
    [{ CPUS: 2.5 }, "CPUs: 2, needed 2.5"],
    [{ MEMORY_MEBIBYTES: 1966.1 }, "memory: 1966 MiB, needed 1966.1 MiB"],
    [{ DISK_FREE_PERCENT: "a fifth" }, "not a number: 'a fifth'"],
  ] as const)("refuses a machine below %j", async ([changes, says], { machine }) => {
    machineOf(machine);
    const { exitCode, stderr } = await machine.oslo("run", document(changes));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(says);
  });

  test("a reading that fails never passes", async ({ machine }) => {
    machineOf(machine);
    machine.addProgram("df", "true");
    const { exitCode, stderr } = await machine.oslo("run", document({}));
    expect(exitCode).toBe(1);
    expect(stderr).toContain("not measured");
  });
});

describeOnLinux("gate-peers", () => {
  const peers: StepDocument = step("gate-peers", {
    CLUSTER: "oslo",
    INTERFACE: "eth0",
    GATEWAYS: "10.0.0.1",
    PEERS: "bravo=10.0.0.12 bravo=fd00::12 charlie=10.0.0.13",
    MTU: 1500,
    RTT_MILLISECONDS: 2,
    CLOCK_SKEW_SECONDS: 30,
  });
  const macs = { "10.0.0.1": "01", "10.0.0.12": "12", "fd00::12": "12", "10.0.0.13": "13" };

  /** Peers that answer themselves, on one VLAN; `answers` are further lines of arping's case. */
  function network(machine: Machine, answers = "", routes = ""): void {
    const replies = Object.entries(macs).map(
      ([address, mac]) =>
        `${address}) echo "Unicast reply from ${address} [52:54:00:00:00:${mac}]  0.500ms";;`,
    );
    machine.install("neighbour.sh");
    machine.addOwnStep("gate-peers");
    const last = 'for last in "$@"; do :; done';
    machine.addProgram(
      "arping",
      `${last}\necho "ARPING $last"\ncase $last in\n${answers}\n${replies.join("\n")}\nesac`,
    );
    machine.addProgram("ping", "echo 'rtt min/avg/max/mdev = 0.1/0.2/0.3/0.0 ms'");
    machine.addProgram("clockdiff", "echo 1 5 5");
    machine.addProgram(
      "ip",
      `case "$*" in\n${routes}
*"route get "*) echo "\${!#} dev eth0 src 10.0.0.11 uid 0" ;;
*"neighbour show to fd00::12 dev eth0") echo "fd00::12 lladdr 52:54:00:00:00:12 router REACHABLE" ;;
esac`,
    );
  }

  test("reads each peer's MAC address and latency", async ({ machine }) => {
    network(machine);
    const { exitCode, stdout } = await machine.oslo("run", peers);
    expect(exitCode).toBe(0);
    const same = { rttMilliseconds: 0.2, pathMtu: 1500 };
    expect(JSON.parse(stdout)).toMatchObject({
      "bravo=10.0.0.12": { mac: "52:54:00:00:00:12", arpMilliseconds: 0.5, ...same },
      "bravo=fd00::12": { mac: "52:54:00:00:00:12", arpMilliseconds: null, ...same },
      "charlie=10.0.0.13": { mac: "52:54:00:00:00:13", ...same },
    });
  });

  /** Does this in the place of the first call of a kind. */
  const first = (kind: string, does: string) =>
    `if [[ $* == *"${kind}"* && ! -e $MACHINE/asked ]]; then touch "$MACHINE/asked"; ${does}; fi\n`;
  const rtt = (mean: string) => `echo 'rtt min/avg/max/mdev = 0.1/${mean}/900/0.0 ms'`;

  test.for<[what: string, program: string, body: string]>([
    ["packet of the whole MTU", "ping", first("-M do", "exit 1") + rtt("0.2")],
    [
      "discovery that delays its pings",
      "ping",
      first("-c 10", `${rtt("512.7")}; exit`) + rtt("0.2"),
    ],
    ["answer to all ten pings", "ping", first("-c 10", "exit 1") + rtt("0.2")],
    [
      "answer to IPv6's neighbour discovery",
      "ip",
      `case "$*" in
*"route get "*) echo "\${!#} dev eth0 src 10.0.0.11 uid 0" ;;
*"neighbour show to fd00::12 dev eth0")
${first("", "exit")}echo "fd00::12 lladdr 52:54:00:00:00:12 router REACHABLE" ;;
esac`,
    ],
  ])("takes peers of whom one lost %s", async ([, program, body], { machine }) => {
    network(machine);
    machine.addProgram(program, body);
    const { exitCode, stdout, stderr } = await machine.oslo("run", peers);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(existsSync(machine.path("asked"))).toBe(true);
    expect(JSON.parse(stdout)).toMatchObject({
      "bravo=fd00::12": { mac: "52:54:00:00:00:12", rttMilliseconds: 0.2, pathMtu: 1500 },
    });
  });

  test("refuses a peer that is far away at each try", async ({ machine }) => {
    network(machine);
    machine.addProgram("ping", rtt("2.5"));
    const { exitCode, stderr } = await machine.oslo("run", peers);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^bravo \(fd00::12\): round trip 2\.5 ms, allowed 2 ms/m);
  });

  test("finds the largest packet that passes", async ({ machine }) => {
    network(machine);
    machine.addProgram(
      "ping",
      `size=0; for word in "$@"; do [[ $last != -s ]] || size=$word; last=$word; done
((size <= 1372)) || exit 1\n${rtt("0.2")}`,
    );
    const { exitCode, stderr } = await machine.oslo("run", peers);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^charlie \(10\.0\.0\.13\): path MTU 1400, expected 1500/m);
    expect(stderr).toMatch(/^bravo \(fd00::12\): path MTU 1420, expected 1500/m);
  });

  test.for<[what: string, answers: string, routes: string, says: RegExp]>([
    [
      "who answers no ARP",
      "10.0.0.12) ;;",
      "",
      /^bravo \(10\.0\.0\.12\): .*no neighbour.*one VLAN/m,
    ],
    [
      "for whom a second machine answers",
      '10.0.0.13) for m in 13 99; do echo "Unicast reply from $last [52:54:00:00:00:$m]  1.0ms"; done ;;',
      "",
      /^charlie .*several machines answer for it \(52:54:00:00:00:13,52:54:00:00:00:99\)/m,
    ],
    [
      "for whom the gateway answers",
      '10.0.0.12) echo "Unicast reply from $last [52:54:00:00:00:01]  1.0ms" ;;',
      "",
      /^bravo .*the gateway 10\.0\.0\.1 answers with the same MAC/m,
    ],
    [
      "for whom another peer's router answers",
      '10.0.0.13) echo "Unicast reply from $last [52:54:00:00:00:12]  1.0ms" ;;',
      "",
      /^charlie .*bravo answers with the same MAC/m,
    ],
    [
      "behind a next hop",
      "",
      '*"route get 10.0.0.13") echo "10.0.0.13 via 10.0.0.1 dev eth0 src 10.0.0.11" ;;',
      /^charlie .*has a next hop \(10\.0\.0\.13 via 10\.0\.0\.1 dev eth0\)/m,
    ],
    [
      "behind another interface",
      "",
      '*"route get fd00::12") echo "fd00::12 dev eth9 src fd00::11" ;;',
      /^bravo \(fd00::12\): the route to it does not leave by eth0/m,
    ],
  ])("refuses a peer %s", async ([, answers, routes, says], { machine }) => {
    network(machine, answers, routes);
    const { exitCode, stderr } = await machine.oslo("run", peers);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(says);
    expect(stderr.match(/^(bravo|charlie) \(/gm)).toHaveLength(1);
  });
});
