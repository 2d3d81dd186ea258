import type { NodeFacts } from "../../components/node/node.ts";

/** What a command of the program prints where all is well, by the name of its resource. */
export function healthyStdout(name: string): string {
  if (name === "datapath-probe") return '{"a -> b":{"ipv4":{"plain":true,"option":true}}}';
  if (name === "identity") return '{"version":"1.36.3","uid":"5f0c","caCertificate":"Q0E="}';
  const step = name.replace(/^.*?-(preflight|guest|claim)$/, "$1");
  const machine = name.slice(0, -step.length - 1);
  switch (step) {
    case "preflight":
      return '{"cpus":8}';
    case "guest":
      return `ssh-ed25519 AAAA${machine.replaceAll("-", "+")}\n`;
    case "claim":
      return `${factsOf(machine)}\n${JSON.stringify({
        "gate-host": { cpus: 4, memoryMebibytes: 8000, stealPercent: 0 },
        ...(machine.startsWith("cp-") ? { "gate-etcd-disk": etcdDisk } : {}),
        "gate-peers": {},
      })}\n`;
    default:
      return "";
  }
}

const etcdDisk = { etcdFsyncP99Milliseconds: 1.234 };

/** What a claim's first line is. */
export function factsOf(machine: string, facts: Partial<NodeFacts> = {}): string {
  return JSON.stringify({
    hostname: machine,
    machineId: `id-of-${machine}`,
    macAddresses: `mac-of-${machine}`,
    productUuid: "",
    ...facts,
  });
}
