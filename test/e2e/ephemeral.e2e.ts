import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OperationContext } from "../../commands/ephemeral/context.ts";
import { down } from "../../commands/ephemeral/down.ts";
import { reap } from "../../commands/ephemeral/reap.ts";
import { stackOf } from "../../commands/ephemeral/stack-tags.ts";
import { up } from "../../commands/ephemeral/up.ts";
import type { Engine } from "../lab/engine.ts";
import { labContext, labTemplate } from "../lab/ephemeral.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { runDirectory } from "../lab/paths.ts";
import { waitFor } from "../lab/shell.ts";
import { removeStackFile } from "../lab/stack.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { labOf } from "../lab/verification/verify.ts";
import { footprint } from "./footprint.ts";

const hosts = ["vps-1", "vps-2"];
const minutes = 60_000;
const hour = 60 * minutes;
let facts: infrastructure.LabFacts;
let lab: Lab;
let context: OperationContext;
const clock = { now: new Date() };
/** What each machine looked like before any cluster had it. */
const pristine = new Map<string, string>();
const before = footprint();

beforeAll(async () => {
  facts = await infrastructure.up({ hosts });
  process.env.XDG_STATE_HOME = join(runDirectory, "home"); // locks go with the lab
  lab = labOf(facts, undefined as unknown as Engine);
  context = await labContext(facts, clock);
  for (const host of hosts) pristine.set(host, await looks(host));
}, 80 * minutes);

afterAll(async () => {
  await infrastructure.down();
  removeStackFile();
}, 2 * minutes);

const wish = (name: string, controlPlanes: number, workers: number) => ({
  ...{ name, owner: "the lab", ttl: 4 * hour, seconds: 1200 },
  template: labTemplate(facts, controlPlanes, workers),
});
const end = (name: string) => ({ name, abandon: [], seconds: 600 });

describe("two clusters at once", () => {
  test("come up under different names, on machines of their own", {
    timeout: 20 * minutes,
  }, async () => {
    const both = await Promise.all([up(context, wish("a", 1, 0)), up(context, wish("b", 1, 0))]);
    const claims = both.flatMap((record) => record.claims);
    expect(new Set(claims).size).toBe(2);
    await expect(up(context, wish("c", 1, 0))).rejects.toThrow(/0 of 2 are free/);
  });

  test("are known by the machines themselves", async () => {
    const owners = await Promise.all(
      hosts.map((host) =>
        lab.onHost(host, "sed -n 's/^clusterId=//p' /var/lib/oslo-cluster/claim"),
      ),
    );
    expect(owners.map((owner) => owner.trim()).sort()).toEqual(["lab-a", "lab-b"]);
  });

  test("one is removed while the other stays, and its machine is what it was", {
    timeout: 10 * minutes,
  }, async () => {
    expect(await down(context, end("a"))).toEqual([]);
    expect(await context.backend.stacks()).toEqual([stackOf("b")]);
    const freed = (await claimed()).indexOf("");
    expect(await looks(hosts[freed] as string)).toBe(pristine.get(hosts[freed] as string));
  });

  test("the expiry is honoured, and not a minute before", { timeout: 10 * minutes }, async () => {
    const start = clock.now.getTime();
    clock.now = new Date(start + 4 * hour - minutes);
    expect(await reap(context, 600)).toEqual([{ name: "b", outcome: "living", leftovers: [] }]);
    clock.now = new Date(start + 4 * hour + minutes);
    expect(await reap(context, 600)).toEqual([{ name: "b", outcome: "gone", leftovers: [] }]);
    expect(await reap(context, 600)).toEqual([]);
    for (const host of hosts) expect(await looks(host)).toBe(pristine.get(host));
  });
});

describe("a cluster with a worker", () => {
  test("comes up on both machines", { timeout: 20 * minutes }, async () => {
    await up(context, wish("d", 1, 1));
    expect(await claimed()).toEqual(["lab-d", "lab-d"]);
  });

  test("its down with a dead node ends in time, and says what is left", {
    timeout: 15 * minutes,
  }, async () => {
    await infrastructure.stopHost("vps-2");
    const began = Date.now();
    const left = await down(context, end("d"));
    expect(Date.now() - began).toBeLessThan(12 * minutes);
    expect(left.map(({ where }) => where)).toEqual(["vps-2"]);
    expect(left[0]?.how).toContain("--abandon vps-2");
    expect(await looks("vps-1")).toBe(pristine.get("vps-1"));
  });

  test("reap does the rest when the node answers", { timeout: 10 * minutes }, async () => {
    await infrastructure.startHost("vps-2");
    expect(await reap(context, 600)).toEqual([{ name: "d", outcome: "gone", leftovers: [] }]);
    expect(await looks("vps-2")).toBe(pristine.get("vps-2"));
  });

  test("a down that is killed half way is finished by reap", {
    timeout: 25 * minutes,
  }, async () => {
    await up(context, wish("e", 1, 1));
    const kill = new AbortController();
    const killed = down({ ...context, signal: kill.signal }, end("e")).then(
      () => "finished",
      () => "killed",
    );
    await waitFor("a release to be under way", 300, async () => {
      const answers = await Promise.all(
        hosts.map((host) => lab.onHost(host, "ls /run/oslo-release.lock 2>/dev/null || true")),
      );
      return answers.some((answer) => answer.trim() !== "");
    });
    kill.abort();
    await killed;
    expect((await context.backend.tags(stackOf("e")))["oslo-cluster:phase"]).toBe("down");
    expect(await reap(context, 600)).toEqual([{ name: "e", outcome: "gone", leftovers: [] }]);
    for (const host of hosts) expect(await looks(host)).toBe(pristine.get(host));
  });
});

test("nothing is left of the lab either", { timeout: 5 * minutes }, async () => {
  await infrastructure.down();
  expect(footprint()).toEqual(before);
});

/** By host, the cluster that has claimed it. */
async function claimed(): Promise<string[]> {
  const ask = "sed -n 's/^clusterId=//p' /var/lib/oslo-cluster/claim 2>/dev/null || true";
  return await Promise.all(hosts.map(async (host) => (await lab.onHost(host, ask)).trim()));
}

/** Packages, files of the system and of root, units, mounts, devices, rules, routes, settings, processes. */
async function looks(host: string): Promise<string> {
  return await lab.onHost(
    host,
    `dpkg-query --show --showformat '\${Package} \${Version} \${db:Status-Abbrev}\\n'
     find /etc /root /opt /usr/local /srv -xdev -type f -not -name ld.so.cache -not -path '/etc/*-' -exec sha256sum {} + | sort -k 2
     find /etc /root /opt /usr/local /srv /var/lib -xdev -maxdepth 2 -type d | sort
     systemctl list-unit-files --no-legend --no-pager | awk '!/^session-/ { print $1, $2, $3 }' | sort
     awk '{ print $2, $3 }' /proc/mounts | sort
     ip -o link | awk -F'[:@] ?' '{ print $2 }' | sort
     { ip rule; ip -6 rule; ip route; ip -6 route; } | sed 's/expires [0-9]*sec//' | sort
     sysctl --all --pattern '^net.(ipv4|netfilter).*(tcp_|ip_local|rp_filter|forward|conntrack_max)' 2>/dev/null | sort
     ps -e -o comm= | grep -E 'kube|etcd|cilium|containerd' | sort`,
  );
}
