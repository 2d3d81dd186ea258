import { afterEach, describe, expect, it, vi } from "vitest";
import type { ConfigInput } from "../../config/schema.ts";
import { promises } from "../../verify/promises.ts";
import type { Proof } from "../../verify/proof.ts";
import { backupProof, rehearsalProof } from "../../verify/proofs/backup.ts";
import { bandwidthProof } from "../../verify/proofs/bandwidth.ts";
import { binomialBounds, canaryProof } from "../../verify/proofs/canary.ts";
import { clientAddressProof, normal } from "../../verify/proofs/client-address.ts";
import { conntrackProof } from "../../verify/proofs/conntrack.ts";
import { datagramsProof } from "../../verify/proofs/datagrams.ts";
import { deniedCallProof } from "../../verify/proofs/denied-call.ts";
import { percentile } from "../../verify/proofs/dns.ts";
import { dsrProof } from "../../verify/proofs/dsr.ts";
import { encryptionProof } from "../../verify/proofs/encryption.ts";
import { gatewayStatusProof, routeStatusProof } from "../../verify/proofs/gateway-status.ts";
import { modesProof } from "../../verify/proofs/modes.ts";
import { nixProof } from "../../verify/proofs/nix.ts";
import { podTrafficProof } from "../../verify/proofs/pod-traffic.ts";
import { xdpProof } from "../../verify/proofs/xdp.ts";
import { broken, on } from "./broken.ts";
import { brokenServices } from "./broken-services.ts";
import { type Answers, agentStatus, backupTime, rehearsalReport } from "./healthy.ts";
import type { SimulatedOptions } from "./simulated.ts";
import { verdictOf } from "./virtual.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const encrypted = (config: ConfigInput) => {
  config.cilium = { loadBalancer: { acceleration: "disabled" }, encryption: { enabled: true } };
};

describe("a healthy cluster", () => {
  it("encrypts, where that is asked for", async () => {
    const sick: Answers = [
      ["inpod ping", ""],
      ["tcpdump -n -v -r", "12:00 IP 10.10.1.1.51871 > 10.10.1.2.51871: UDP, length 128"],
    ];
    expect(await verdictOf(encryptionProof, { vary: encrypted, sick })).toMatchObject({
      verdict: "pass",
    });
  });

  const always = promises.filter((proof) => proof !== encryptionProof);
  it.each(always.map((proof) => [proof.promise, proof] as const))("%s", async (_, proof) => {
    expect(await verdictOf(proof)).toMatchObject({ verdict: "pass" });
  });
});

/** For a test's name, which takes strings alone. */
function titled<T extends [Proof, string, ...unknown[]]>(row: T): [string, T] {
  return [`${row[0].promise}: ${row[1]}`, row];
}

const allBroken = [...broken, ...brokenServices];

describe("a broken promise", () => {
  it.each(allBroken.map(titled))("%s", async (_, [proof, , sick, reading]) => {
    expect(await verdictOf(proof, { sick })).toEqual({
      verdict: "fail",
      reading: expect.stringMatching(reading),
    });
  });

  // XDP at the ingress: tcpdump sees no packet there, and the table of connections has the client.
  it.each<[string, string, string, "pass" | "fail"]>([
    ["the client's own", "10.10.9.9", "fd00:10:10::99", "pass"],
    ["another one", "10.10.1.77", "fd00:10:10::99", "fail"],
    ["another one by IPv6", "10.10.9.9", "fd00:10:10::77", "fail"],
  ])("a backend's view, where XDP takes packets first: %s", async (_, client4, client6, is) => {
    const connections = [1, 2, 3].flatMap((number) =>
      [1, 2, 3].flatMap((service) => [
        `TCP SVC ${client4}:40000 -> 10.10.1.${number}:${30000 + service - 1} expires=9`,
        `TCP SVC ${client6}:40000 -> fd00:10:10::${number}:${30000 + service - 1} expires=9`,
      ]),
    );
    const sick: Answers = [
      ["tcpdump -n -v -r", ""],
      [
        "bpf ct list global",
        (_, question) => {
          const [, service = "nothing"] = question.match(/"( -> \S+ )"/) ?? [];
          return connections.filter((line) => line.includes(service)).join("\n");
        },
      ],
    ];
    expect(await verdictOf(clientAddressProof, { sick })).toMatchObject({ verdict: is });
  });

  it("an XDP program that a device refused, with native", async () => {
    const vary = (config: ConfigInput) => {
      config.cilium = { loadBalancer: { acceleration: "native" } };
    };
    const sick: Answers = [
      ["bpftool net show", on("node-1", "eth0 not attached", "eth0 attached")],
    ];
    expect(await verdictOf(xdpProof, { vary, sick })).toEqual({
      verdict: "fail",
      reading: "node-1: eth0 not attached",
    });
  });

  it.each<[string, string, RegExp]>([
    [
      "a packet in the clear",
      "12:00 IP 10.244.0.9 > 10.244.1.9: ICMP echo request",
      /1 packets of pods in the clear/,
    ],
    ["no packet", "", /no packet of WireGuard/],
  ])("encryption: %s", async (_, seen, reading) => {
    const sick: Answers = [
      ["inpod ping", ""],
      ["tcpdump -n -v -r", seen],
    ];
    expect(await verdictOf(encryptionProof, { vary: encrypted, sick })).toEqual({
      verdict: "fail",
      reading: expect.stringMatching(reading),
    });
  });

  it("is known for every promise", () => {
    const others = [xdpProof, encryptionProof];
    const covered = new Set([...allBroken.map(([proof]) => proof), ...others]);
    expect(promises.filter((proof) => !covered.has(proof))).toEqual([]);
  });

  it.each(promises.map((proof) => [proof.promise, proof] as const))(
    "that cannot be asked is not kept: %s",
    async (_, proof) => {
      vi.spyOn(console, "error").mockImplementation(() => {}); // nothing can be removed either
      const { verdict } = await verdictOf(proof, { sick: [["", new Error("connection refused")]] });
      expect(verdict).not.toBe("pass");
    },
  );
});

const withMode =
  (mode: "snat" | "dsr", fallback: "none" | "snat" = "none") =>
  (config: ConfigInput) => {
    config.cilium = { loadBalancer: { mode, fallback } };
  };

/** What the stack does not ask for, by why. */
const off = [
  "mode snat",
  "disabled",
  "off",
  "not asked for",
  "no address",
  "no gateway",
  "no route",
  "no target",
];

const withoutTargets = (config: ConfigInput) => {
  config.backup = {};
};

describe("not proved or not enabled, with the reason", () => {
  const cases: [proof: Proof, why: string, options: SimulatedOptions, reading: RegExp][] = [
    [podTrafficProof, "one node", { nodes: 1 }, /one node/],
    [dsrProof, "one node", { nodes: 1 }, /one node/],
    [dsrProof, "mode snat", { vary: withMode("snat") }, /mode is snat/],
    [
      dsrProof,
      "fallen back",
      { vary: withMode("dsr", "snat"), sick: [["bpf-lb-mode", "snat"]] },
      /fallback took snat/,
    ],
    [clientAddressProof, "mode snat", { vary: withMode("snat") }, /mode is snat/],
    [
      dsrProof,
      "no client",
      { sick: [["client ", new Error("no route to host")]] },
      /^nothing outside the cluster reaches 10\.10\.1\.1 \(a client: no route to host\): run verify from/,
    ],
    [
      datagramsProof,
      "no client",
      { sick: [["client ", new Error("no route to host")]] },
      /^nothing outside/,
    ],
    [
      xdpProof,
      "disabled",
      {
        vary: (c) => {
          c.cilium = { loadBalancer: { acceleration: "disabled" } };
        },
        sick: [["bpftool net show", "eth0 not attached"]],
      },
      /acceleration is disabled/,
    ],
    [
      xdpProof,
      "best effort refused",
      { sick: [["bpftool net show", "eth0 not attached"]] },
      /^node-0: eth0 not attached: the device refused it/,
    ],
    [
      bandwidthProof,
      "off",
      {
        vary: (c) => {
          c.cilium = { bandwidthManager: { enabled: false, bbr: false } };
        },
      },
      /enabled is false/,
    ],
    [
      conntrackProof,
      "no reading",
      { sick: [["bpf_map_pressure", ""]] },
      /reports no map's pressure/,
    ],
    [encryptionProof, "not asked for", {}, /encryption is not asked for/],
    [
      nixProof,
      "no address",
      {
        vary: (c) => {
          c.verify = {};
        },
      },
      /nixAddress is not set/,
    ],
    [
      gatewayStatusProof,
      "no gateway",
      {
        vary: (c) => {
          c.gatewayApi = { enabled: false };
        },
      },
      /enabled is false/,
    ],
    [
      routeStatusProof,
      "no route",
      {
        vary: (c) => {
          c.gatewayApi = {};
        },
      },
      /no route/,
    ],
    [backupProof, "no target", { vary: withoutTargets }, /^backup\.targets: \[\]$/],
    [rehearsalProof, "no target", { vary: withoutTargets }, /^backup\.targets: \[\]$/],
    [
      rehearsalProof,
      "no signer",
      {
        vary: (c) => {
          if (c.backup) c.backup.rehearsal = {};
        },
      },
      /signers is empty/,
    ],
    [
      rehearsalProof,
      "no report",
      { sick: [["backup/rehearsal", "none"]] },
      /no rehearsal was reported/,
    ],
    [
      rehearsalProof,
      "an old report",
      { sick: [["backup/rehearsal", `${backupTime + 30 * 86400}\n${rehearsalReport()}`]] },
      /^rehearsed 2026-09-21T14:25Z, 41 s, 12 minutes behind, 812 objects: older than 168 h$/,
    ],
    [canaryProof, "no Envoy", { sick: [["k8s-app=cilium-envoy", ""]] }, /no Envoy runs/],
    [canaryProof, "one node", { nodes: 1 }, /one node/],
    [
      deniedCallProof,
      "no Hubble",
      {
        vary: (c) => {
          c.cilium = { hubble: { enabled: false } };
        },
        sick: [["hubble observe", new Error("connection refused")]],
      },
      /Hubble could not be asked: node-1: connection refused/,
    ],
  ];

  it.each(cases.map(titled))("%s", async (_, [proof, why, options, reading]) => {
    expect(await verdictOf(proof, options)).toEqual({
      verdict: off.includes(why) ? "not enabled" : "not proved",
      reading: expect.stringMatching(reading),
    });
  });
});

it("XDP that was to be disabled and is attached is a broken promise", async () => {
  const vary = (config: ConfigInput) => {
    config.cilium = { loadBalancer: { acceleration: "disabled" } };
  };
  expect(await verdictOf(xdpProof, { vary })).toMatchObject({ verdict: "fail" });
});

it("a mode that fell back is what every agent must say", async () => {
  const vary = withMode("dsr", "snat");
  const status = agentStatus.replace("DSR\n", "SNAT\n").replace(/ +DSR Dispatch.*\n/, "");
  const sick: Answers = [
    ["bpf-lb-mode", "snat"],
    ["agent cilium-dbg status", status],
  ];
  expect(await verdictOf(modesProof, { vary, sick })).toMatchObject({ verdict: "pass" });
  expect(await verdictOf(modesProof, { vary, sick: [["bpf-lb-mode", "snat"]] })).toMatchObject({
    verdict: "fail",
  });
});

describe("the arithmetic", () => {
  it("percentiles by nearest rank", () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 99, 100]);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it("binomial bounds: 4 standard deviations about the mean, within what can be", () => {
    // 1000 requests at 10 %: 100 ± 4 × 9.49; at 5 %: 50 ± 4 × 6.89.
    expect(binomialBounds(1000, 0.1)).toEqual({ low: 63, high: 137 });
    expect(binomialBounds(1000, 0.05)).toEqual({ low: 23, high: 77 });
    expect(binomialBounds(10, 0)).toEqual({ low: 0, high: 0 });
  });

  it.each([
    ["[fd00:0010:0010:0000:0000:0000:0000:0099]", "[fd00:10:10::99]"],
    ["10.0.0.1", "10.0.0.1"],
  ])("%s is one address with %s", (written, same) => {
    expect(normal(written)).toBe(normal(same));
  });
});
