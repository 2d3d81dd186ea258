import { describe, expect, test } from "vitest";
import { stackChanges } from "../../commands/impact/changes.ts";
import type { Files } from "../../commands/impact/plan-parts.ts";
import { labelOf } from "../../commands/impact/report.ts";
import { loadStackFile } from "../../config/load.ts";
import { planFiles } from "../../plan/files.ts";
import { plan } from "../../plan/plan.ts";
import type { Engine } from "../lab/engine.ts";
import { waitFor } from "../lab/shell.ts";
import { stackFile, writeStackFile } from "../lab/stack.ts";
import type { Overrides } from "../lab/stack-file.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { unchanged } from "./unchanged.ts";

const minutes = 60_000;

/** The documents of a stack's file, as `npm run impact` compares them. */
export function planned(file: string): Files {
  return planFiles(plan(loadStackFile(file)));
}

/** What `npm run impact` says of a change: its label by what changes and where. */
export function labels(before: Files, after: Files): Record<string, string> {
  return Object.fromEntries(
    stackChanges(before, after).changes.map((change) => [
      [change.what, ...change.machines].join(" "),
      labelOf(change),
    ]),
  );
}

/** A change of each label that a living cluster of given machines can have, and what it really does. */
export function describeImpacts(
  current: () => { engine: Engine; lab: Lab },
  hosts: readonly string[],
): void {
  /** Changes the stack's file; what reviewers see of it. */
  const change = (vary: Overrides) => {
    const before = planned(stackFile);
    writeStackFile(current().lab.facts, vary);
    return labels(before, planned(stackFile));
  };
  const up = () => current().engine.up();
  const ask = (command: string) =>
    Promise.all(hosts.map(async (host) => (await current().lab.onHost(host, command)).trim()));
  const processes = async () => ({
    kubelet: await ask("systemctl show --property=MainPID --value kubelet"),
    containerd: await ask("systemctl show --property=MainPID --value containerd"),
  });

  describe("what impact says is what up does", { timeout: 20 * minutes }, () => {
    test("live: every node has the new value, and nothing restarts", async () => {
      const before = await processes();
      const said = change((config) => {
        config.tuning = { ...config.tuning, sysctl: { "net.ipv4.tcp_fin_timeout": 20 } };
      });
      expect([...new Set(Object.values(said))]).toEqual(["live"]);
      expect(await up()).toMatchObject({ ...unchanged, update: hosts.length });
      expect(await ask("sysctl -n net.ipv4.tcp_fin_timeout")).toEqual(hosts.map(() => "20"));
      expect(await processes()).toEqual(before);
    });

    test("restart: of the unit that is named, on the nodes that are named", async () => {
      writeStackFile(current().lab.facts);
      await up();
      const before = await processes();
      const said = change((config) => {
        config.kubernetes = {
          ...config.kubernetes,
          kubelet: { ...config.kubernetes?.kubelet, maxPods: 100 },
        };
      });
      const [what = "", ...others] = Object.keys(said);
      expect(others).toEqual([]);
      expect(what).toMatch(/^kubelet: /);
      expect(what.split(" ").slice(-hosts.length)).toEqual(hosts);
      expect(said[what]).toBe("restart");
      expect(await up()).toMatchObject({ ...unchanged, update: hosts.length });
      await waitFor("the kubelets to report 100 pods", 60, async () => {
        const capacity = "jsonpath={.items[*].status.capacity.pods}";
        return (await current().lab.kubectl("get", "nodes", "-o", capacity)) === "100 100";
      });
      const after = await processes();
      expect(after.containerd).toEqual(before.containerd);
      for (const [index] of hosts.entries())
        expect(after.kubelet[index]).not.toBe(before.kubelet[index]);
    });

    test("impossible: it is refused, and the cluster stays as it is", async () => {
      writeStackFile(current().lab.facts);
      await up();
      const before = await processes();
      const said = change((config) => {
        config.network.podSubnets = ["10.245.0.0/16", "fd00:10:245::/56"];
      });
      expect(Object.values(said)[0]).toBe("impossible");
      await expect(up()).rejects.toThrow();
      const log = await current().lab.onHost("cp-1", "cat /var/log/oslo-cluster/control-plane.log");
      expect(log).toContain("asked for: network_podSubnets=10.245.0.0/16");
      expect(log).toContain("in use:    network_podSubnets=10.244.0.0/16");
      expect(await processes()).toEqual(before);
      writeStackFile(current().lab.facts);
      await up();
    });
  });
}
