import { test as base, expect } from "vitest";
import { step } from "../../plan/step.ts";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    machine.install("document.sh");
    machine.addOwnStep("probe");
    for (const of of ["all", "eth0"]) machine.write(`sysctl/ipv4/conf/${of}/rp_filter`, "0\n");
    await use(machine);
    machine.remove();
  },
});

const option = "9a0810900a00000b";
const document = (changes = {}) =>
  step("probe", {
    CLUSTER: "oslo",
    NODE: "bravo",
    INTERFACE: "eth0",
    PORT: 4240,
    SEND: "plain=UDP4-DATAGRAM:10.0.0.11:4240,bind=10.0.0.12",
    EXPECT: `alfa/4/plain/10.0.0.11/ alfa/4/podSource/10.244.255.254/ alfa/4/option/10.0.0.11/${option} alfa/4/nodeSource/10.0.0.13/`,
    OPTIONAL: "",
    START_SECONDS: 1,
    PATIENCE_SECONDS: 1,
    ...changes,
  });

/** Counters of the packets that arrive where nothing is lost. */
const whole = ["plain", "podSource", "option", "nodeSource"].map((kind) => `whole-alfa/4/${kind}`);

/** A kernel that counts one of each of these, in nft's place; what is counted and sent is written down. */
function network(machine: Machine, counters: string[]): void {
  const list = [...counters, "whole-zulu/4/plain"].map(
    (name) => `\tcounter ${name} {\n\t\tpackets 1 bytes 42\n\t}`,
  );
  const none = "\tcounter changed-alfa/4/plain {\n\t\tpackets 0 bytes 0\n\t}";
  const table = ["table inet oslo-cluster-probe {", ...list, none, "}", ""].join("\n");
  machine.write("counters", table);
  machine.addProgram(
    "nft",
    `case "$1" in
-f) cat >${machine.path("rules")} ;;
list) cat ${machine.path("counters")} ;;
delete) echo "$*" >${machine.path("ended")} ;;
esac`,
  );
  machine.addProgram("socat", `echo "$(cat) to $3" >>${machine.path("sent")}`);
}

const without = (kind: string) => whole.filter((name) => !name.endsWith(`/${kind}`));

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

describeOnLinux("the probe on a node", () => {
  test("reads what arrived, and sends its own", async ({ machine }) => {
    network(machine, whole);
    const { exitCode, reading, stderr } = await decide(machine);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const ipv4 = { plain: true, podSource: true, option: true, nodeSource: true };
    expect(reading).toEqual({ "alfa -> bravo": { ipv4 } });
    const sent = "bravo plain to UDP4-DATAGRAM:10.0.0.11:4240,bind=10.0.0.12,so-bindtodevice=eth0";
    expect(machine.read("sent").split("\n")[0]).toBe(sent);
  });

  test("counts each packet by sender and kind, whole or not, behind the node's own filters", async ({
    machine,
  }) => {
    network(machine, whole);
    const option6 = "1b14fd00001000100000000000000000001110900000";
    await decide(machine, {
      EXPECT: `alfa/4/plain/10.0.0.11/ alfa/6/option/fd00:0:0:0:0:0:0:11/${option6} alfa/4/ipip/10.0.0.11/`,
    });
    const digits = (text: string) => Buffer.from(text).toString("hex");
    const option = `udp dport 4240 @th,64,88 0x${digits("alfa option")}`;
    const rules = machine.read("rules").replace(/ +/g, " ");
    expect(rules.split("\n").filter((line) => line.includes(" drop"))).toEqual([
      `meta nfproto ipv4 udp dport 4240 @th,64,80 0x${digits("alfa plain")} ip saddr 10.0.0.11 counter name whole-alfa/4/plain drop`,
      `meta nfproto ipv4 udp dport 4240 @th,64,80 0x${digits("alfa plain")} counter name changed-alfa/4/plain drop`,
      `meta nfproto ipv6 ${option} ip6 saddr fd00:0:0:0:0:0:0:11 @nh,336,128 0x${option6.slice(0, 32)} @nh,464,48 0x${option6.slice(32)} counter name whole-alfa/6/option drop`,
      `meta nfproto ipv6 ${option} counter name changed-alfa/6/option drop`,
      `meta nfproto ipv4 meta l4proto 4 @th,0,72 0x${digits("alfa ipip")} ip saddr 10.0.0.11 counter name whole-alfa/4/ipip drop`,
      `meta nfproto ipv4 meta l4proto 4 @th,0,72 0x${digits("alfa ipip")} counter name changed-alfa/4/ipip drop`,
    ]);
    expect(rules).toContain('type filter hook input priority 100\niifname != "eth0" return\n');
    expect(machine.read("ended")).toBe("delete table inet oslo-cluster-probe\n");
  });

  test.for<[what: string, kind: string, instead: string[], says: RegExp]>([
    [
      "a pod's address",
      "podSource",
      [],
      /pod's address \(10\.244\.255\.254\) was dropped; .*anti-spoofing/,
    ],
    [
      "the option's packet",
      "option",
      [],
      /IP option 0x9a was dropped; .*or set cilium\.loadBalancer/,
    ],
    ["the option", "option", ["changed-alfa/4/option"], /IP option 0x9a arrived without it;/],
    [
      "a third node's address",
      "nodeSource",
      [],
      /third node's address \(10\.0\.0\.13\) was dropped; DSR/,
    ],
    [
      "the source address",
      "podSource",
      ["changed-alfa/4/podSource"],
      /pod's address .* arrived from another address;/,
    ],
  ])("refuses a network that takes away %s", async ([, kind, instead, says], { machine }) => {
    network(machine, [...without(kind), ...instead]);
    const { exitCode, stderr } = await decide(machine);
    expect(exitCode).toBe(1);
    const lines = stderr.split("\n");
    expect(lines).toEqual([expect.stringMatching(/^error: alfa -> bravo \(IPv4\): /)]);
    expect(stderr).toMatch(says);
  });

  test("says of a sender from whom nothing comes that one thing", async ({ machine }) => {
    network(machine, []);
    const { exitCode, stderr } = await decide(machine);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: .*an ordinary packet was dropped; open UDP port 4240 [^\n]*$/);
  });

  test("tells the kernel's own filter where that is on", async ({ machine }) => {
    network(machine, without("podSource"));
    machine.write("sysctl/ipv4/conf/eth0/rp_filter", "1\n");
    expect((await decide(machine)).stderr).toContain("rp_filter on bravo is 1 instead of 0");
  });

  test.for(["option", "nodeSource"])(
    "with a fallback to snat continues without %s",
    async (lost, { machine }) => {
      network(machine, without(lost));
      const { exitCode, reading, stderr } = await decide(machine, {
        OPTIONAL: "option nodeSource",
      });
      expect(exitCode).toBe(0);
      expect(reading["alfa -> bravo"].ipv4).toMatchObject({ podSource: true, [lost]: false });
      expect(stderr).toMatch(/^snat is taken: alfa -> bravo/);
    },
  );

  test("with that fallback still needs pods' addresses", async ({ machine }) => {
    network(machine, without("podSource"));
    expect((await decide(machine, { OPTIONAL: "option nodeSource" })).exitCode).toBe(1);
  });

  test("fails where it cannot count, or cannot send", async ({ machine }) => {
    network(machine, whole);
    machine.addProgram("socat", 'echo "no route" >&2; exit 1');
    expect((await decide(machine)).stderr).toMatch(/bravo cannot send .*\(plain\): no route/);
    machine.addProgram("nft", '[ "$1" = delete ] || echo "no such module" >&2; exit 1');
    expect((await decide(machine)).stderr).toMatch(
      /no such module\nerror: bravo cannot count packets on eth0/,
    );
  });

  test("ends with its stdin, decided or not", async ({ machine }) => {
    network(machine, []);
    const probe = machine.probe(document({ START_SECONDS: 600 }));
    probe.stdin?.end();
    const { exitCode, stderr } = await probe;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ended without a result/);
  });

  test("refuses a machine of another cluster", async ({ machine }) => {
    machine.claim("bergen");
    expect((await decide(machine)).stderr).toContain("belongs to cluster bergen");
  });
});
