import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, describe, expect, it, vi } from "vitest";
import { unitPrefix, workDirectory } from "../../verify/probe/namespace.ts";
import { serve } from "../../verify/probe/pods.ts";
import { promises } from "../../verify/promises.ts";
import { describeOnLinux } from "../needs.ts";
import type { Answers } from "./healthy.ts";
import { run, stopTime } from "./virtual.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("what the API tells", () => {
  const evil = "10.244.0.9'; touch /tmp/owned; '";
  const list = (...items: object[]) => JSON.stringify({ items });
  const hostile: [what: string, ...Answers[number]][] = [
    ["a gateway's address", "get gateway external-gateway -o jsonpath", evil],
    [
      "a pod's address",
      "get pods -o json",
      list({
        metadata: { name: "probe-node-0" },
        spec: { nodeName: "node-0" },
        status: { podIPs: [{ ip: evil }] },
      }),
    ],
    ["the cluster's DNS", "get service kube-dns", evil],
    [
      "a cache's address",
      "-l k8s-app=node-local-dns",
      list({
        spec: { nodeName: "node-0" },
        status: { podIP: evil, conditions: [{ type: "Ready", status: "True" }] },
      }),
    ],
    [
      "a service's address",
      "get services -l verify-service=address",
      list({
        metadata: { name: "address-0" },
        spec: {},
        status: { loadBalancer: { ingress: [{ ip: evil }] } },
      }),
    ],
  ];

  it.each(hostile)("%s never becomes a part of a script", async (_, ...sick) => {
    stopTime();
    const { asked, rows } = await run(promises, { sick: [sick as Answers[number]] });
    expect(asked.filter((question) => question.includes("touch /tmp/owned"))).toEqual([]);
    const [failed] = rows.filter(({ reading }) => reading.includes("is not an address"));
    expect(failed?.verdict).toBe("fail");
  });
});

describeOnLinux("what answers in a probe pod", () => {
  /** Each unit that the script starts, as the words of systemd-run. */
  async function units() {
    const folder = mkdtempSync(join(tmpdir(), "probe-"));
    const program = (name: string, body: string) =>
      writeFileSync(join(folder, "bin", name), `#!/bin/bash\n${body}\n`, { mode: 0o755 });
    mkdirSync(join(folder, "bin"));
    mkdirSync(join(folder, "netns"));
    writeFileSync(join(folder, "netns", "cni-1"), "");
    program("ip", `echo ' 10.244.0.9/32 '`);
    program("systemd-run", `printf '%s\\n' "$@" >>${folder}/units; echo -- >>${folder}/units`);
    program("nsenter", "seq 4");
    const script = serve({ node: "node-0", name: "probe-node-0", addresses: ["10.244.0.9"] })
      .replaceAll(workDirectory, join(folder, "work"))
      .replaceAll("/run/netns", join(folder, "netns"));
    await execa("bash", ["-s"], {
      input: script,
      env: { PATH: `${join(folder, "bin")}:${process.env.PATH}` },
    });
    const started = readFileSync(join(folder, "units"), "utf8");
    rmSync(folder, { recursive: true });
    return started
      .split(/^--$/m)
      .map((unit) => unit.trim().split("\n"))
      .filter(([first]) => first);
  }

  it("is nobody on the node, in the pod's network, and bounded", async () => {
    const started = await units();
    expect(started).toHaveLength(4);
    for (const words of started) {
      expect(words.some((word) => word.startsWith(`--unit=${unitPrefix}-`))).toBe(true);
      expect(words).toContain("--property=DynamicUser=yes");
      expect(words).toContain("--property=CapabilityBoundingSet=");
      expect(words.join(" ")).toMatch(/--property=NetworkNamespacePath=\S+\/cni-1 /);
      expect(words.join(" ")).toMatch(/--property=TasksMax=\d+ /);
      const [listener = ""] = words.filter((word) => /^(TCP|UDP)4-/.test(word));
      expect(listener).toMatch(/^TCP4-LISTEN:\d+,fork,max-children=\d+|^UDP4-RECVFROM:\d+,fork$/);
      // systemd itself enters the network, before it gives up root.
      expect(words).not.toContain("nsenter");
      const [, seconds = ""] = words.join(" ").match(/RuntimeMaxSec=(\d+)/) ?? [];
      expect(Number(seconds)).toBeLessThanOrEqual(300);
    }
  });
});
