import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { node, stack } from "../stack.ts";
import { configOf, stackNames } from "../stacks.ts";

const path = "/etc/oslo-cluster/haproxy.cfg";
const configurations = (config: Parameters<typeof plan>[0]) =>
  plan(config).nodes.map(({ steps }) => steps["api-balancer"]?.files[path] ?? "");

describe.each(stackNames)("the balancers of %s", (name) => {
  const config = configOf(name);
  const controlPlanes = config.nodes.filter(({ role }) => role === "control-plane");

  it("are the same on every node, and list every control plane", () => {
    const [first, ...others] = configurations(config);
    for (const other of others) expect(other).toBe(first);
    const servers = first?.match(/^ {2}server .*$/gm) ?? [];
    expect(servers).toHaveLength(controlPlanes.length);
    for (const { name: server } of controlPlanes)
      expect(first).toMatch(new RegExp(`^  server ${server} `, "m"));
  });

  it("listen on the loopback interface alone, and cut what a dead server holds", () => {
    for (const text of configurations(config)) {
      const binds = text.match(/^ {2}bind .*$/gm) ?? [];
      expect(binds.length).toBe(config.network.families.length);
      for (const bind of binds) expect(bind).toMatch(/bind (127\.0\.0\.1|\[::1\]):7443$/);
      expect(text).toContain("on-marked-down shutdown-sessions");
      expect(text).toContain("uri /readyz");
    }
  });

  const haproxy = spawnSync("haproxy", ["-v"]);
  it("are what haproxy takes", ({ skip }) => {
    if (haproxy.error) skip("needs haproxy");
    const folder = mkdtempSync(join(tmpdir(), "haproxy-"));
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, configurations(config)[0] ?? "");
    const { status, stderr } = spawnSync("haproxy", ["-c", "-q", "-f", file], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

it("checks are half as many where there are many nodes", () => {
  const many = Array.from({ length: 21 }, (_, i) => node(i, i === 0 ? "control-plane" : "worker"));
  const [first] = configurations(loadConfig(stack({ "nodes.existing": many }), "test"));
  expect(first).toContain(" inter 2s ");
});

it.each([
  [500, 2],
  [1000, 2],
  [2500, 3],
  [5000, 5],
])("etcd's elections of %s ms take no server that lives: fall %s", (election, fall) => {
  const etcd = { heartbeatMilliseconds: 50, electionMilliseconds: election };
  const [first] = configurations(loadConfig(stack({ "kubernetes.etcd": etcd }), "test"));
  expect(first).toContain(` fall ${fall} `);
});
