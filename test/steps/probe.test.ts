import { test as base, describe, expect } from "vitest";
import { step } from "../../plan/step.ts";
import { Machine } from "./machine.ts";

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    machine.addOwnStep("probe");
    for (const of of ["all", "eth0"]) machine.write(`sysctl/ipv4/conf/${of}/rp_filter`, "0\n");
    await use(machine);
    machine.remove();
  },
});

const option = { alfa: "9a0810900a00000b", other: "9a0810900a00000c" };
const document = (changes = {}) =>
  step("probe", {
    CLUSTER: "oslo",
    NODE: "bravo",
    INTERFACE: "eth0",
    PORT: 4240,
    LISTEN: "UDP4-RECVFROM:4240",
    SEND: "plain=UDP4-DATAGRAM:10.0.0.11:4240,bind=10.0.0.12",
    EXPECT: `alfa/4/plain/10.0.0.11/ alfa/4/podSource/10.244.255.254/ alfa/4/option/10.0.0.11/${option.alfa} alfa/4/nodeSource/10.0.0.13/`,
    OPTIONAL: "",
    START_SECONDS: 1,
    PATIENCE_SECONDS: 1,
    ...changes,
  });

const whole = {
  plain: "10.0.0.11 _ alfa plain",
  podSource: "10.244.255.254 _ alfa podSource",
  option: `10.0.0.11 _x${option.alfa} alfa option`,
  nodeSource: "10.0.0.13 _ alfa nodeSource",
};

/** A network that brings these packets, in socat's place; what is sent is written down. */
function network(machine: Machine, packets: Record<string, string>): void {
  machine.write("packets", `${Object.values(packets).filter(Boolean).join("\n")}\n`);
  machine.addProgram(
    "socat",
    `case "$2" in
-) echo "$(cat) to $3" >>${machine.path("sent")} ;;
*) cat ${machine.path("packets")}; exec tail -f /dev/null ;;
esac`,
  );
}

/** Runs the probe until it has decided, and ends it as the operator's side does. */
async function decide(machine: Machine, changes = {}) {
  const probe = machine.probe(document(changes));
  await new Promise((resolve) => {
    probe.stdout?.once("data", resolve);
    probe.once("exit", resolve);
  });
  probe.stdin?.end();
  const { exitCode, stdout, stderr } = await probe;
  return { exitCode, reading: stdout && JSON.parse(String(stdout)), stderr: String(stderr) };
}

describe.runIf(process.platform === "linux")("the probe on a node", () => {
  test("reads what arrived, and sends its own", async ({ machine }) => {
    network(machine, whole);
    const { exitCode, reading, stderr } = await decide(machine);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const ipv4 = { plain: true, podSource: true, option: true, nodeSource: true };
    expect(reading).toEqual({ "alfa -> bravo": { ipv4 } });
    const sent = "bravo plain to UDP4-DATAGRAM:10.0.0.11:4240,bind=10.0.0.12";
    expect(machine.read("sent").split("\n")[0]).toBe(sent);
  });

  test.for<[lost: string, packets: Record<string, string>, says: RegExp]>([
    [
      "a pod's address",
      { podSource: "" },
      /pod's address \(10\.244\.255\.254\) was dropped; .*anti-spoofing/,
    ],
    [
      "the option's packet",
      { option: "" },
      /IP option 0x9a was dropped; .*or set cilium\.loadBalancer/,
    ],
    ["the option", { option: "10.0.0.11 _ alfa option" }, /IP option 0x9a arrived without it;/],
    [
      "the option, after another node's",
      { option: `10.0.0.11 _x${option.other} alfa option` },
      /IP option 0x9a arrived without it;/,
    ],
    [
      "a third node's address",
      { nodeSource: "" },
      /third node's address \(10\.0\.0\.13\) was dropped; DSR/,
    ],
    [
      "the source address",
      { podSource: "10.0.0.11 _ alfa podSource" },
      /pod's address .* arrived with the source address 10\.0\.0\.11;/,
    ],
  ])("refuses a network that takes away %s", async ([, packets, says], { machine }) => {
    network(machine, { ...whole, ...packets });
    const { exitCode, stderr } = await decide(machine);
    expect(exitCode).toBe(1);
    const lines = stderr.split("\n");
    expect(lines).toEqual([expect.stringMatching(/^error: alfa -> bravo \(IPv4\): /)]);
    expect(stderr).toMatch(says);
  });

  test("says of a sender from whom nothing comes that one thing", async ({ machine }) => {
    network(machine, {});
    const { exitCode, stderr } = await decide(machine);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: .*an ordinary packet was dropped; open UDP port 4240 [^\n]*$/);
  });

  test("tells the kernel's own filter where that is on", async ({ machine }) => {
    network(machine, { ...whole, podSource: "" });
    machine.write("sysctl/ipv4/conf/eth0/rp_filter", "1\n");
    expect((await decide(machine)).stderr).toContain("rp_filter on bravo is 1 instead of 0");
  });

  test.for(["option", "nodeSource"])(
    "with a fallback to snat goes on without %s",
    async (lost, { machine }) => {
      network(machine, { ...whole, [lost]: "" });
      const { exitCode, reading, stderr } = await decide(machine, {
        OPTIONAL: "option nodeSource",
      });
      expect(exitCode).toBe(0);
      expect(reading["alfa -> bravo"].ipv4).toMatchObject({ podSource: true, [lost]: false });
      expect(stderr).toMatch(/^snat is taken: alfa -> bravo/);
    },
  );

  test("with that fallback still needs pods' addresses", async ({ machine }) => {
    network(machine, { ...whole, podSource: "" });
    expect((await decide(machine, { OPTIONAL: "option nodeSource" })).exitCode).toBe(1);
  });

  test("takes nothing that it did not expect", async ({ machine }) => {
    const junk = [
      "10.0.0.99 _ zulu plain",
      "10.0.0.11 _ alfa other",
      "10.0.0.11 _ alfa $(touch x)",
      "10.0.0.11 _ a]b plain",
      "",
    ];
    network(machine, { ...Object.fromEntries(junk.map((line, i) => [`${i}`, line])), ...whole });
    expect(await decide(machine)).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("fails where it cannot listen, or cannot send", async ({ machine }) => {
    network(machine, whole);
    machine.addProgram("socat", 'case "$2" in -) exit 0 ;; *) echo "in use" >&2; exit 1 ;; esac');
    expect((await decide(machine)).stderr).toMatch(
      /cannot listen on UDP port 4240 of eth0: in use/,
    );
    machine.addProgram("socat", 'case "$2" in -) echo "no route" >&2; exit 1 ;; esac');
    expect((await decide(machine)).stderr).toMatch(/bravo cannot send .*\(plain\): no route/);
  });

  test("ends with its stdin, decided or not", async ({ machine }) => {
    network(machine, {});
    const probe = machine.probe(document({ START_SECONDS: 600 }));
    probe.stdin?.end();
    const { exitCode, stderr } = await probe;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ended before it was decided/);
  });

  test("refuses a machine of another cluster", async ({ machine }) => {
    machine.claim("bergen");
    expect((await decide(machine)).stderr).toContain("belongs to cluster bergen");
  });
});
