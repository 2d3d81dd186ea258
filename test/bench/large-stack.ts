/** A stack of existing machines, one of them a control plane. */
export function largeStack(
  nodes: number,
  ntpServer = "ntp.justervesenet.no",
): Record<string, unknown> {
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
