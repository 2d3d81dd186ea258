import { stackChanges } from "../../commands/impact/changes.ts";
import { loadConfig } from "../../config/load.ts";
import { planFiles } from "../../plan/files.ts";
import { plan } from "../../plan/plan.ts";

// node test/bench/plan-scale.ts NODES: checks, plans, renders and compares a cluster of so many nodes, and
// says what that took: seconds of CPU, which other work on the machine does not change, and memory.
const count = Number(process.argv[2]);
const before = planFiles(plan(loadConfig(stack(count, "ntp.uio.no"), "bench")));
const rendered = process.cpuUsage();
const after = planFiles(plan(loadConfig(stack(count, "ntp.justervesenet.no"), "bench")));
const { changes } = stackChanges(before, after);
const all = process.cpuUsage();
const { maxRSS } = process.resourceUsage();
console.log(
  JSON.stringify({
    nodes: count,
    files: after.size,
    megabytes: megabytes(after),
    changedMachines: new Set(changes.flatMap(({ machines }) => machines)).size,
    renderSeconds: seconds(rendered),
    impactSeconds: seconds(all),
    peakMebibytes: Math.round(maxRSS / 1024),
  }),
);

function seconds({ user, system }: NodeJS.CpuUsage): number {
  return Math.round((user + system) / 1e4) / 100;
}

function megabytes(files: ReadonlyMap<string, string>): number {
  const bytes = [...files.values()].reduce((sum, content) => sum + content.length, 0);
  return Math.round(bytes / 1e5) / 10;
}

/** A stack of existing machines, one of them a control plane. */
function stack(nodes: number, ntpServer: string): Record<string, unknown> {
  return {
    cluster: { name: "large", region: "NO-OSL-1", residency: "NO" },
    network: {
      vlan: { subnets: ["10.10.0.0/16"], gateways: ["10.10.255.254"], interface: "eth1" },
      podSubnets: ["10.128.0.0/10"],
      serviceSubnets: ["10.96.0.0/16"],
    },
    tuning: { ntpServers: [ntpServer] },
    nodes: {
      existing: Array.from({ length: nodes }, (_, i) => ({
        name: `node-${i}`,
        role: i === 0 ? "control-plane" : "worker",
        addresses: [`10.10.${1 + Math.floor(i / 250)}.${1 + (i % 250)}`],
        ssh: { hostKey: hostKey(i) },
      })),
    },
  };
}

/** A public key of ed25519's form: its name and 32 bytes, each with its length. */
function hostKey(number: number): string {
  const body = Buffer.alloc(51);
  body.writeUInt32BE(11, 0);
  body.write("ssh-ed25519", 4);
  body.writeUInt32BE(32, 15);
  body.writeUInt32BE(number + 1, 19);
  return `ssh-ed25519 ${body.toString("base64")}`;
}
