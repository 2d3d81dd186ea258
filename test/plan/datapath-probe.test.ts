import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { ciliumValues, withMode } from "../../plan/cilium.ts";
import { allowedMode, datapathProbe } from "../../plan/datapath-probe.ts";
import { plan } from "../../plan/plan.ts";
import { node, stack } from "../stack.ts";

const configOf = (changes: Record<string, unknown> = {}) => loadConfig(stack(changes), "test.yaml");

/** What a node sends, as [kind, socat's address]. */
function sends(changes: Record<string, unknown> = {}, name = "node-0"): [string, string][] {
  const text = datapathProbe(configOf(changes)).documents[name]?.vars.SEND ?? "";
  return text.split(" ").map((word) => {
    const kind = word.split("=")[0] as string;
    return [kind, word.slice(kind.length + 1)];
  });
}

function kinds(changes: Record<string, unknown> = {}): string[] {
  return [...new Set(sends(changes).map(([kind]) => kind))];
}

const twoNodes = { "nodes.existing": [node(0, "control-plane"), node(1, "worker")] };

describe("what nodes send one another", () => {
  it.each([
    ["dsr", "opt", ["plain", "podSource", "option", "nodeSource"]],
    ["hybrid", "opt", ["plain", "podSource", "option", "nodeSource"]],
    ["dsr", "ipip", ["plain", "podSource", "ipip", "nodeSource"]],
    ["snat", "opt", ["plain", "podSource"]],
  ])("under %s by %s is what that mode needs", (mode, dsrDispatch, expected) => {
    expect(kinds({ "cilium.loadBalancer": { mode, dsrDispatch } })).toEqual(expected);
  });

  it("is no third node's address where there are two", () => {
    expect(kinds(twoNodes)).toEqual(["plain", "podSource", "option"]);
  });

  it("is sent in every family to every other node, over the VLAN alone", () => {
    const plain = sends().filter(([kind]) => kind === "plain");
    expect(plain.map(([, address]) => address)).toEqual([
      "UDP4-DATAGRAM:10.10.0.12:4240,bind=10.10.0.11",
      "UDP6-DATAGRAM:[fd00:10:10::12]:4240,bind=[fd00:10:10::11]",
      "UDP4-DATAGRAM:10.10.0.13:4240,bind=10.10.0.11",
      "UDP6-DATAGRAM:[fd00:10:10::13]:4240,bind=[fd00:10:10::11]",
    ]);
  });

  it("has Cilium's option: 0x9a and 8 bytes, or 0x1b and 20 in a header of 24", () => {
    const [ipv4, ipv6] = sends(twoNodes)
      .filter(([kind]) => kind === "option")
      .map(([, address]) => address);
    // Type, length, port 4240, 10.10.0.11.
    expect(ipv4).toMatch(/,ip-options=x9a0810900a0a000b$/);
    // Next header and length, type and length, fd00:10:10::11, port, padding: 24 bytes.
    const header = "00021b14fd00001000100000000000000000001110900000";
    expect(header).toHaveLength(2 * 24);
    expect(ipv6).toMatch(new RegExp(`,setsockopt=41:59:x${header}$`));
  });

  it("comes from the last pod address, which no node has before the subnet is full", () => {
    const sources = sends(twoNodes)
      .filter(([kind]) => kind === "podSource")
      .map(([, address]) => /bind=([^,]+),ip-transparent/.exec(address)?.[1]);
    expect(sources).toEqual(["10.244.255.254", "[fd00:10:244:ff:ffff:ffff:ffff:fffe]"]);
  });

  it.each([
    ["node-0", "node-1"],
    ["node-1", "node-2"],
  ])("is what the other expects: %s to %s", (from, to) => {
    const { documents } = datapathProbe(configOf());
    const expected = documents[to]?.vars.EXPECT?.split(" ").filter((w) => w.startsWith(`${from}/`));
    const number = `1${Number(to.at(-1)) + 1}`;
    const sent = sends({}, from).filter(([, address]) =>
      new RegExp(`^UDP.-DATAGRAM:\\S{0,15}[.:]${number}]?:4240,`).test(address),
    );
    expect(expected?.map((word) => word.split("/")[2])).toEqual(sent.map(([kind]) => kind));
  });

  it("is nothing where there is one node", () => {
    const one = { "nodes.existing": [node(0, "control-plane")] };
    expect(plan(configOf(one)).probe).toBeUndefined();
    expect(plan(configOf()).probe).toBeDefined();
  });
});

describe("what may be lost", () => {
  it.each([
    ["none", ""],
    ["snat", "option ipip nodeSource"],
  ])("with the fallback %s", (fallback, optional) => {
    const { documents } = datapathProbe(configOf({ "cilium.loadBalancer.fallback": fallback }));
    expect(documents["node-1"]?.vars.OPTIONAL).toBe(optional);
  });

  it.each([
    ["nothing", {}, "dsr"],
    ["the option", { option: false }, "snat"],
    ["IP in IP", { ipip: false }, "snat"],
    ["a third node's address", { nodeSource: false }, "snat"],
  ])("%s leaves a mode", (_, lost, mode) => {
    const whole = { plain: true, podSource: true, option: true };
    const reading = { "a -> b": { ipv4: whole, ipv6: { ...whole, ...lost } } };
    expect(allowedMode("dsr", reading)).toBe(mode);
  });
});

describe("Cilium's values under the mode that is left", () => {
  const wanted = ciliumValues(
    configOf({ "cilium.values": { loadBalancer: { algorithm: "maglev" } } }),
  );

  it("are the plan's own under the wanted mode", () => {
    expect(withMode(wanted, "dsr")).toEqual(wanted);
  });

  it("have no dispatch under snat, and all else", () => {
    expect(withMode(wanted, "snat")).toEqual(
      ciliumValues(
        configOf({
          "cilium.values": { loadBalancer: { algorithm: "maglev" } },
          "cilium.loadBalancer.mode": "snat",
        }),
      ),
    );
  });
});
