import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareStack, type Revision } from "../../../commands/impact/compare.ts";
import { marker, renderMarkdown } from "../../../commands/impact/markdown.ts";
import type { EnginePreview } from "../../../commands/impact/preview.ts";
import { headline, type StackReport, violations } from "../../../commands/impact/report.ts";
import { renderText } from "../../../commands/impact/text.ts";
import { root } from "../../root.ts";
import type { stackFiles } from "../../stacks.ts";
import { changed, filesOf, sectionsOf } from "./changed.ts";

type Stack = keyof typeof stackFiles;
type Changes = Record<string, unknown>;

/** What a pull request does to one stack: other values at some paths. */
function request(stack: Stack, changes: Changes, preview?: EnginePreview): StackReport {
  const sections = sectionsOf(stack);
  const head = filesOf(changed(sections, changes));
  return compareStack(stack, { files: filesOf(sections) }, { files: head }, preview);
}

const route = "gatewayApi.routes[0]";
const weights = { [`${route}.backends[0].weight`]: 80, [`${route}.backends[1].weight`]: 20 };
const worker = "nodes.existing[1]";
const otherKey = `ssh-ed25519 AAAA${"K".repeat(20)}`;
const pool = "nodes.libvirt.pools[1]";
const planned: Revision = { files: filesOf(sectionsOf("dev")) };

/** One comment each, as people will read it. */
const requests: Record<string, () => StackReport[]> = {
  nothing: () => [request("dev", {})],
  live: () => [request("dev", weights)],
  restart: () => [request("dev", { "kubernetes.kubelet.maxPods": 200 })],
  drain: () => [request("libvirt", { [`${pool}.memoryMebibytes`]: 8192 })],
  recreate: () => [request("dev", { [`${worker}.ssh.hostKey`]: otherKey, ...weights })],
  "recreate-guest": () => [request("libvirt", { [`${pool}.generations`]: { "worker-2": 3 } })],
  impossible: () => [
    request("dev", { "network.podSubnets": ["10.240.0.0/16", "fd00:10:240::/56"] }),
  ],
  "worker-goes": () => [request("dev", { "nodes.existing[2]": undefined })],
  "worker-comes": () => [
    request("dev", {
      "nodes.existing[3]": {
        name: "worker-3",
        role: "worker",
        addresses: ["10.10.0.23", "fd00:10:10::23"],
        ssh: { hostKey: otherKey },
      },
    }),
  ],
  stacks: () => [
    request("dev", weights, {
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
    const text = renderText({ base: "origin/main", reports, violations: [] });
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
    const report = request("dev", { "gatewayApi.routes": routes });
    const comment = renderMarkdown({ base: "main", reports: [report], violations: [] });
    expect(comment.length).toBeLessThan(65_536);
    expect(comment).toContain(`### dev: ${headline(report)}`);
  });

  it("shows no secret: nothing at all is made where a plan holds one", () => {
    const secret = "-----BEGIN OPENSSH PRIVATE KEY-----";
    const changes = { "cilium.values": { extra: { note: secret } } };
    expect(() => request("dev", changes)).toThrow(
      /cilium-values\.yaml.*a private key; nothing is shown/,
    );
    expect(() =>
      compareStack("dev", "absent", { files: filesOf(changed(sectionsOf("dev"), changes)) }),
    ).toThrow(/nothing is shown/);
    const refused = compareStack("dev", planned, { refused: `ssh.host: ${secret}: no host` });
    expect(() => renderMarkdown({ base: "main", reports: [refused], violations: [] })).toThrow(
      /nothing is shown/,
    );
  });

  it("takes text of a stack's file as text: no tag, mention or fence of its own", () => {
    const values = { extra: { note: "</details> @everyone ````" } };
    const report = request("dev", { "cilium.values": values });
    const comment = renderMarkdown({ base: "main", reports: [report], violations: [] });
    const [, diff = ""] = comment.split("`````diff\n");
    expect(diff.split("\n`````\n")[0]).toContain("</details> @everyone ````");
    const refused = compareStack("dev", planned, {
      refused: "name: <img> @everyone [x](y): no name",
    });
    const other = renderMarkdown({ base: "main", reports: [refused], violations: [] });
    expect(other).not.toMatch(/<img>|@everyone|\[x\]/);
  });
});

describe("a policy", () => {
  const recreate = request("dev", { [`${worker}.ssh.hostKey`]: otherKey });
  const live = request("dev", weights);

  it.each([
    ["recreate", recreate, true],
    ["live", recreate, true],
    ["impossible", recreate, false],
    ["recreate", live, false],
    ["live", live, true],
    ["check", request("dev", {}), false],
  ])("--fail-on %s means that label and worse ones", (label, report, breaks) => {
    expect(violations([report], [label])).toHaveLength(breaks ? 1 : 0);
  });

  it("of risks fails for risks alone", () => {
    const risky = { ...live, risks: ["something"] };
    expect(violations([risky, recreate], ["risk"])).toEqual(["dev: 1 risk"]);
    expect(violations([risky], [])).toEqual([]);
  });
});
