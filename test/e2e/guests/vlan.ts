import { describe, expect, test } from "vitest";
import { loadStackFile } from "../../../config/load.ts";
import { hypervisorPlan } from "../../../plan/libvirt/hypervisor.ts";
import { hypervisorScript } from "../../../steps/hypervisor/bundle.ts";
import { guestProgram, stackFileOf } from "../../lab/program.ts";
import { inNamespace, run } from "../../lab/shell.ts";
import { trunk } from "../../lab/trunk.ts";
import { first, guests, type Running, second } from "./running.ts";

/** The private VLAN: one L2 domain between guests on different hypervisors. */
export function describeVlan(current: () => Running): void {
  const onGuest: Running["lab"]["onGuest"] = (...args) => current().lab.onGuest(...args);
  describe("the VLAN", () => {
    test("guests on different hypervisors answer each other's ARP themselves, from one L2 domain", async () => {
      const mac = (await onGuest(first, "cat /sys/class/net/eth0/address")).trim();
      const answer = await onGuest(second, `arping -c 3 -w 15 -I eth0 ${first.address}`);
      const answers = new Set(
        [...answer.matchAll(/reply from \S+ \[([0-9A-F:]+)\]/g)].map(([, from]) =>
          from?.toLowerCase(),
        ),
      );
      expect([...answers]).toEqual([mac]);
    });

    test.each([first.address, "fd00:10:20::11"])(
      "jumbo frames pass whole to %s",
      async (address) => {
        const headers = address.includes(":") ? 48 : 28;
        const largest = `ping -M do -c 3 -W 10 -q -s ${trunk.mtu - headers} ${address}`;
        expect(await onGuest(second, largest)).toContain(" 0% packet loss");
        await expect(
          onGuest(second, `ping -M do -c 1 -W 5 -q -s ${trunk.mtu - headers + 1} ${address}`),
        ).rejects.toThrow();
      },
    );

    test("frames have the tag between hypervisors, and none in the guest", async () => {
      const frames = await onTrunk(
        current().facts.netns,
        `vlan ${trunk.vlan} and icmp and host ${second.address}`,
        () => onGuest(second, `ping -c 3 -W 10 -q ${first.address}`),
      );
      expect(frames).toContain(`vlan ${trunk.vlan}, `);
      const link = await onGuest(second, "ip -d -o link show type vlan");
      expect(link).toBe("");
    });

    test("the hypervisors' own script makes the same of the guests' kernel", async () => {
      const script = vlanScript(200);
      for (const [index, guest] of guests.entries()) {
        await onGuest(guest, "bash -s -- apply", script);
        await onGuest(guest, `ip address add 10.99.0.${index + 1}/24 dev oslo200`);
      }
      const kind = await onGuest(first, "ip -d -o link show dev eth0.200");
      expect(kind).toContain("vlan protocol 802.1Q id 200");
      const frames = await onTrunk(current().facts.netns, "vlan and vlan 200", () =>
        onGuest(second, "ping -c 3 -W 10 -q 10.99.0.1"),
      );
      expect(frames).toContain("vlan 200, ");
      for (const guest of guests) {
        await onGuest(guest, "bash -s -- delete", script);
        const left = await onGuest(
          guest,
          "sh -c 'ip -o link | grep -E \"oslo200|eth0.200\"; ls /etc/systemd/system/oslo-cluster-vlan200* 2>/dev/null; true'",
        );
        expect(left).toBe("");
      }
    });

    test("the hypervisors' kernel tags the frames", (context) => {
      context.skip(
        current().facts.virtual?.vlan.tagsByLab === true,
        "this machine's kernel has no 802.1Q: on hypervisors the lab's BPF programs tag in its place",
      );
    });
  });
}

/** What a hypervisor would run for another VLAN, with the guest's NIC as its uplink. */
function vlanScript(id: number): string {
  const config = loadStackFile(stackFileOf(guestProgram));
  const { libvirt, network } = config;
  const [hypervisor] = libvirt?.hypervisors ?? [];
  if (!libvirt || !hypervisor) throw new Error("the stack has no hypervisor");
  const { vlan } = hypervisorPlan(
    { ...config, libvirt, network: { ...network, mtu: 1500, vlan: { ...network.vlan, id } } },
    { ...hypervisor, uplink: "eth0" },
  );
  return hypervisorScript(vlan);
}

/** The frames on the cable between hypervisors, while something is done. */
async function onTrunk(
  netns: string,
  filter: string,
  action: () => Promise<unknown>,
): Promise<string> {
  const watch = [
    "timeout",
    "60",
    "tcpdump",
    "-e",
    "-n",
    "-l",
    "-c",
    "2",
    "-i",
    trunk.bridge,
    filter,
  ];
  const [file = "", ...args] = inNamespace(netns, watch);
  const frames = run(file, args, { reject: false });
  await action();
  return frames;
}
