import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareStack, type Revision } from "../../../commands/impact/compare.ts";
import { marker, renderMarkdown } from "../../../commands/impact/markdown.ts";
import type { EnginePreview } from "../../../commands/impact/read-preview.ts";
import { headline, type StackReport, violations } from "../../../commands/impact/report.ts";
import { renderText } from "../../../commands/impact/text.ts";
import { hostKey } from "../../host-key.ts";
import { root } from "../../root.ts";
import type { stackFiles } from "../../stacks.ts";
import { changed, filesOf, filesOfStack, sectionsOf } from "./changed.ts";

type Stack = keyof typeof stackFiles;
type Changes = Record<string, unknown>;

/** What a pull request does to one stack: other values at some paths. */
function request(stack: Stack, changes: Changes, preview?: EnginePreview): StackReport {
  const base = revisionOf(stack);
  return compareStack(stack, base, planOf(changed(base.sections, changes)), preview);
}

function revisionOf(stack: Stack) {
  return { files: filesOfStack(stack), sections: sectionsOf(stack) };
}

function planOf(sections: Record<string, unknown>): Revision {
  return { files: filesOf(sections), sections };
}

const route = "gatewayApi.routes[0]";
const weights = { [`${route}.backends[0].weight`]: 80, [`${route}.backends[1].weight`]: 20 };
const worker = "nodes.existing[1]";
const otherKey = hostKey("other");
const pool = "nodes.libvirt.pools[1]";
const planned = revisionOf("articles");

/** One comment each, as people will read it. */
const requests: Record<string, () => StackReport[]> = {
  nothing: () => [request("articles", {})],
  live: () => [request("articles", weights)],
  restart: () => [request("articles", { "kubernetes.kubelet.maxPods": 200 })],
  drain: () => [request("libvirt", { [`${pool}.memoryMebibytes`]: 8192 })],
  recreate: () => [request("articles", { [`${worker}.ssh.hostKey`]: otherKey, ...weights })],
  "recreate-guest": () => [request("libvirt", { [`${pool}.generations`]: { "worker-2": 3 } })],
  impossible: () => [
    request("articles", { "network.podSubnets": ["10.240.0.0/16", "fd00:10:240::/56"] }),
  ],
  "worker-removed": () => [request("articles", { "nodes.existing[2]": undefined })],
  "worker-added": () => [
    request("articles", {
      "nodes.existing[3]": {
        name: "worker-3",
        role: "worker",
        addresses: ["10.10.0.23", "fd00:10:10::23"],
        ssh: { hostKey: otherKey },
      },
    }),
  ],
  stacks: () => [
    request("articles", weights, {
      steps: [
        {
          operation: "update",
          name: "production/store-route",
          type: "HTTPRoute",
          inputs: ["spec"],
          replacedFor: [],
        },
        {
          operation: "replace",
          name: "worker-1-identity",
          type: "Command",
          inputs: ["triggers"],
          replacedFor: ["triggers"],
        },
      ],
    }),
    compareStack("test", "absent", planned, { missing: "no stack named 'test' found", steps: [] }),
    compareStack("old", planned, "absent"),
    compareStack("broken", planned, {
      refused: "Pulumi.broken.yaml: 1 error\n  network.mtu: 9: too small; write 1280 or more",
    }),
  ],
};

describe.each(Object.entries(requests))("a pull request: %s", (name, reportsOf) => {
  const reports = reportsOf();

  it("has the comment that was reviewed", async () => {
    const broken = violations(reports, ["recreate", "risk"]);
    const comment = renderMarkdown({ base: "origin/main", reports, violations: broken });
    await expect(comment).toMatchFileSnapshot(join(root, `test/golden/impact/${name}.md`));
    expect(comment.startsWith(marker)).toBe(true);
  });

  it("has a headline of one line", () => {
    for (const report of reports) expect(headline(report)).toMatch(/^.{5,100}$/);
  });

  it("says the same in a terminal", () => {
    const comparison = { base: "origin/main", reports, violations: [] };
    const text = renderText(comparison, { full: true });
    for (const { stack, risks, changes } of reports) {
      expect(text).toContain(`${stack}: `);
      for (const risk of risks) expect(text).toContain(risk);
      for (const { what, effects } of changes) {
        expect(text).toContain(what);
        for (const { impact, says } of effects) expect(text).toContain(`${impact}: ${says}`);
      }
    }
  });
});

describe("a comment", () => {
  it("of a long change fits, and keeps what matters", () => {
    const routes = Array.from({ length: 900 }, (_, i) => ({
      name: `route-${i}`,
      namespace: "production",
      pathPrefix: `/${i}`,
      backends: [{ name: "checkout", port: 8080, weight: 100 }],
    }));
    const report = request("articles", { "gatewayApi.routes": routes });
    const comment = renderMarkdown({ base: "main", reports: [report], violations: [] });
    expect(comment.length).toBeLessThan(65_536);
    expect(comment).toContain(`### articles: ${headline(report)}`);
  });

  it("shows no secret: nothing at all is made where a plan holds one", () => {
    const secret = "-----BEGIN OPENSSH PRIVATE KEY-----";
    const changes = { "cilium.values": { extra: { note: secret } } };
    expect(() => request("articles", changes)).toThrow(
      /cilium-values\.yaml.*a private key; nothing is shown/,
    );
    expect(() =>
      compareStack("articles", "absent", planOf(changed(sectionsOf("articles"), changes))),
    ).toThrow(/nothing is shown/);
    const refused = compareStack("articles", planned, { refused: `ssh.host: ${secret}: no host` });
    expect(() => renderMarkdown({ base: "main", reports: [refused], violations: [] })).toThrow(
      /nothing is shown/,
    );
  });

  it("takes text of a stack's file as text: no tag, mention or fence of its own", () => {
    const values = { extra: { note: "</details> @everyone ````" } };
    const report = request("articles", { "cilium.values": values });
    const comment = renderMarkdown({ base: "main", reports: [report], violations: [] });
    const [, diff = ""] = comment.split("`````diff\n");
    expect(diff.split("\n`````\n")[0]).toContain("</details> @everyone ````");
    const refused = compareStack("articles", planned, {
      refused: "name: <img> @everyone [x](y): no name",
    });
    const other = renderMarkdown({ base: "main", reports: [refused], violations: [] });
    expect(other).not.toMatch(/<img>|@everyone|\[x\]/);
  });
});

describe("of a hundred nodes, one edited field", () => {
  const workers = Object.fromEntries(
    Array.from({ length: 97 }, (_, i) => [
      `nodes.existing[${i + 3}]`,
      {
        ...{ name: `worker-${i + 3}`, role: "worker" },
        addresses: [`10.10.0.${i + 23}`, `fd00:10:10::${i + 23}`],
        ssh: { host: `worker-${i + 3}.example.no`, hostKey: hostKey(`worker-${i + 3}`) },
      },
    ]),
  );
  const base = changed(sectionsOf("articles"), workers);
  const plannedBase = planOf(base);
  const added = { "nodes.existing[100]": { ...workers["nodes.existing[99]"], name: "w-100" } };
  Object.assign(added["nodes.existing[100]"], {
    addresses: ["10.10.0.200", "fd00:10:10::200"],
    ssh: { host: "w-100.example.no", hostKey: hostKey("w-100") },
  });

  it.each<[Changes, string]>([
    [{ "kubernetes.version": "1.36.4" }, "kubernetes.version 1.36.3 → 1.36.4"],
    [{ "kubernetes.kubelet.maxPods": 200 }, "kubernetes.kubelet.maxPods 110 → 200"],
    [{ "network.mtu": 1400 }, "network.mtu 1500 → 1400"],
    [
      { "network.podSubnets": ["10.240.0.0/16", "fd00:10:240::/56"] },
      'network.podSubnets: added, ["10.240.0.0/16","fd00:10:240::/56"]',
    ],
    [added, "nodes.existing[w-100]: added"],
    [{ "nodes.existing[50]": undefined }, "nodes.existing[worker-50]: removed"],
  ])("%j: at most 60 lines, which begin with it, and nothing is cut unsaid", (edit, line) => {
    const head = changed(base, edit);
    const report = compareStack("articles", plannedBase, planOf(head));
    const comparison = { base: "main", reports: [report], violations: [] };
    const text = renderText(comparison);
    const lines = text.split("\n");
    expect(lines[1]).toBe(`  edited: ${line}`);
    expect(lines.length).toBeLessThanOrEqual(60);
    expect(renderMarkdown(comparison).split("\n").length).toBeLessThanOrEqual(60);
    // What the whole has and this has not is said: cut, left out or not for reading.
    const whole = renderText(comparison, { full: true }).split("\n");
    const hidden = whole.filter((one) => !lines.includes(one));
    const isSaid = /… \d+ more|nothing changes on the cluster: /.test(text);
    expect(isSaid).toBe(hidden.length > 0);
  });

  it("what is destroyed is said outside of any fold", () => {
    const gone = changed(base, { "nodes.existing[50]": undefined });
    const report = compareStack("articles", plannedBase, planOf(gone));
    const comment = renderMarkdown({ base: "main", reports: [report], violations: [] });
    const outside = comment.replaceAll(/<details>[\s\S]*?<\/details>/g, "");
    expect(outside).toMatch(/\*\*recreate\*\*: <code>node removed<\/code> on worker-50: .*lost/);
    expect(comment).toContain("<!-- label: recreate -->");
  });

  it("links to the whole comparison where its address is known", () => {
    const details = "https://example.no/runs/1";
    const report = request("articles", weights);
    const comment = renderMarkdown({ base: "main", reports: [report], violations: [], details });
    expect(comment).toContain(`[The whole comparison](${details})`);
  });
});

describe("a policy", () => {
  const recreate = request("articles", { [`${worker}.ssh.hostKey`]: otherKey });
  const live = request("articles", weights);

  it.each([
    ["recreate", recreate, true],
    ["live", recreate, true],
    ["impossible", recreate, false],
    ["recreate", live, false],
    ["live", live, true],
    ["none", request("articles", {}), false],
  ])("--fail-on %s means that label and worse ones", (label, report, breaks) => {
    expect(violations([report], [label])).toHaveLength(breaks ? 1 : 0);
  });

  it("of risks fails for risks alone", () => {
    const risky = { ...live, risks: ["something"] };
    expect(violations([risky, recreate], ["risk"])).toEqual(["articles: 1 risk"]);
    expect(violations([risky], [])).toEqual([]);
  });
});
