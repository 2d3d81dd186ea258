import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadStackFile } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { renderStep } from "../../plan/step.ts";
import { type Engine, forgetState } from "../lab/engine.ts";
import { type GuestAccess, type GuestPlace, guestAccess } from "../lab/guests/access.ts";
import { writeGuestStack } from "../lab/guests/stack.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { guestProgram, stackFileOf } from "../lab/program.ts";
import { waitFor } from "../lab/shell.ts";
import { trunk } from "../lab/trunk.ts";
import { bringUp, takeDown } from "./bring-up.ts";
import { footprint } from "./footprint.ts";
import { describeLife } from "./guests/life.ts";
import { bootTime, first, guests, minutes, second } from "./guests/running.ts";
import { describeVlan } from "./guests/vlan.ts";

const hypervisors = ["hv-1", "hv-2"];

let facts: infrastructure.LabFacts;
let engine: Engine;
let lab: GuestAccess;
const before = footprint();
/** What hypervisors show before anything is made on them. */
const bare = new Map<string, string>();

beforeAll(async () => {
  ({ facts, engine } = await bringUp({ hosts: [], hypervisors }, writeGuestStack, guestProgram));
  lab = guestAccess(facts);
  for (const name of hypervisors) bare.set(name, await traces(name));
}, 80 * minutes);

afterAll(takeDown, 2 * minutes);

describe("from bare hypervisors", () => {
  test("up makes guests, and the gates pass on them", { timeout: bootTime }, async () => {
    const summary = await engine.up();
    expect(summary.create).toBeGreaterThan(20);
    const { gates } = (await engine.outputs()) as { gates: Record<string, { mtu: number }> };
    console.log(JSON.stringify(gates, null, 2));
    expect(Object.keys(gates).sort()).toEqual(guests.map(({ name }) => name));
    for (const { name } of guests) expect(gates[name]).toMatchObject({ cpus: 1, mtu: trunk.mtu });
  });

  test("packets between the guests prove what DSR needs, before Cilium", async () => {
    const { datapath } = (await engine.outputs()) as { datapath: { paths: object } };
    const whole = { plain: true, podSource: true, option: true };
    const both = { ipv4: whole, ipv6: whole };
    expect(datapath).toEqual({
      loadBalancerMode: "dsr",
      paths: {
        "control-plane-1 -> worker-1": both,
        "worker-1 -> control-plane-1": both,
      },
    });
  });

  test.each(guests)(
    "$name booted by itself: cloud-init is done, its only host key is the pinned one",
    {
      timeout: 5 * minutes,
    },
    async (guest) => {
      const seen = await lab.onGuest(
        guest,
        "sh -c 'cloud-init status; hostname; ls /etc/ssh/ssh_host_*_key; systemd-detect-virt; systemctl is-system-running; systemd-analyze | head -n 1'",
      );
      console.log(`${guest.name}: ${seen}`);
      expect(seen).toMatch(
        new RegExp(
          `^status: done\n${guest.name}\n/etc/ssh/ssh_host_ed25519_key\nqemu\nrunning\nStartup finished`,
        ),
      );
    },
  );

  test.each(guests)(
    "nothing on the hypervisor holds $name's private key any more",
    async (guest) => {
      const disks = `ls /var/lib/libvirt/images/oslo-cluster/*/${guest.name}`;
      const files = (await lab.onHypervisor(guest.hypervisor, disks)).split("\n");
      const etcd = guest === first ? ["etcd.qcow2"] : [];
      expect(files).toEqual([...etcd, "host-key.pub", "root.qcow2"]);
    },
  );

  test("etcd's directory is the disk that was asked for", async () => {
    const mount = await lab.onGuest(
      first,
      "findmnt --noheadings --output FSTYPE,LABEL /var/lib/etcd",
    );
    expect(mount.split(/\s+/)).toEqual(["ext4", "etcd"]);
  });
});

describe("what containers of one kernel cannot show", () => {
  test.each(guests)("$name holds every kernel parameter, fq and bbr among them", async (guest) => {
    const check = "/usr/local/lib/oslo-cluster/oslo-step check kernel";
    expect(await lab.onGuest(guest, check, kernelDocument(guest))).toBe("");
    const values = await lab.onGuest(
      guest,
      "sysctl -n net.core.default_qdisc net.ipv4.tcp_congestion_control",
    );
    expect(values.split("\n")).toEqual(["fq", "bbr"]);
  });

  test.each(guests)("$name has the modules loaded", async (guest) => {
    const modules = (await lab.onGuest(guest, "cut -d ' ' -f 1 /proc/modules")).split("\n");
    expect(modules).toEqual(
      expect.arrayContaining([
        "overlay",
        "nf_conntrack",
        "tcp_bbr",
        "sch_fq",
        "xt_TPROXY",
        "xt_socket",
      ]),
    );
  });
});

describeVlan(() => ({ facts, engine, lab }));
describeLife(() => ({ facts, engine, lab }));

describe("destroy with a dead hypervisor", () => {
  test("ends in bounded time, says what was left there, and clears the other", {
    timeout: 15 * minutes,
  }, async () => {
    await infrastructure.stopHost("hv-2");
    const start = performance.now();
    await expect(engine.destroy()).rejects.toThrow(/left behind on hv-2/);
    expect((performance.now() - start) / 1000).toBeLessThan(400);
    expect(await traces("hv-1")).toBe(bare.get("hv-1"));
  });

  test("the hypervisor comes back with its bridge and its guest", {
    timeout: 5 * minutes,
  }, async () => {
    await infrastructure.startHost("hv-2");
    await waitFor("the guest to be started again", 120, async () => {
      const running = await lab.onHypervisor("hv-2", "virsh list --name");
      return running.includes(second.name);
    });
    expect(await lab.onHypervisor("hv-2", "ls /sys/class/net/oslo100/brif")).toContain("eth1.100");
  });

  test("a later run finishes it, and nothing is left", { timeout: 10 * minutes }, async () => {
    await engine.destroy();
    for (const name of hypervisors) expect(await traces(name)).toBe(bare.get(name));
  });

  test("down leaves nothing behind", { timeout: 5 * minutes }, async () => {
    await forgetState();
    await infrastructure.down();
    expect(footprint()).toEqual(before);
  });
});

/** What the step `kernel` of a guest got as its desired state: every parameter of the plan. */
function kernelDocument({ name }: GuestPlace): string {
  const { nodes } = plan(loadStackFile(stackFileOf(guestProgram)));
  const document = nodes.find((node) => node.name === name)?.steps.kernel;
  if (!document) throw new Error(`${name} has no step kernel`);
  return renderStep(document);
}

/** What would show that something was made on a hypervisor. */
async function traces(name: string): Promise<string> {
  return lab.onHypervisor(
    name,
    `virsh list --all --name
     virsh net-list --all --name
     find /var/lib/libvirt/images -mindepth 1
     ip -o link | grep -E 'oslo|eth1\\.|vnet'
     ls /etc/systemd/system | grep oslo
     systemctl list-units --all --plain --no-legend 'oslo-*'
     pgrep -a qemu-system
     true`,
  );
}
