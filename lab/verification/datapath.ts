import { expectNothing, type Lab, type Proof } from "./proof.ts";

/** What needs Cilium's images. */
export const datapathProofs: Proof[] = [
  {
    promise: "every node is Ready",
    async prove({ kubectl, facts }) {
      const output = await kubectl(
        ...["get", "nodes", "-o"],
        'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}',
      );
      const ready = output.split("\n").filter((line) => line.endsWith(" True"));
      return {
        result: ready.length === facts.hosts.length ? "passed" : "failed",
        reading: output.trim().replaceAll("\n", "; "),
      };
    },
  },
  {
    promise: "every agent runs in the modes that were asked for (cilium-dbg status --verbose)",
    async prove(lab) {
      const wanted: [string, RegExp][] = [
        ["KubeProxyReplacement: True", /^KubeProxyReplacement:\s+True\b/m],
        ["Routing: Native, host BPF", /^Routing:\s+Network: Native\s+Host: BPF/m],
        ["Masquerading: BPF", /^Masquerading:\s+BPF/m],
        ["Mode: DSR", /^\s+Mode:\s+DSR\s*$/m],
        ["DSR Dispatch Mode: IP Option/Extension", /DSR Dispatch Mode:\s+IP Option\/Extension/],
      ];
      const found: string[] = [];
      for (const { node, pod } of await agents(lab)) {
        const status = await inAgent(lab, pod, "cilium-dbg", "status", "--verbose");
        found.push(
          ...wanted
            .filter(([, pattern]) => !pattern.test(status))
            .map(([what]) => `${node}: not ${what}`),
        );
      }
      return expectNothing(found, wanted.map(([what]) => what).join("; "));
    },
  },
  {
    promise: "no overlay device; each node routes to its peers' pods directly",
    async prove(lab) {
      const { items } = JSON.parse(await lab.kubectl("get", "nodes", "-o", "json")) as {
        items: { metadata: { name: string }; spec: { podCIDRs: string[] } }[];
      };
      const found: string[] = [];
      for (const { name } of lab.facts.hosts) {
        const links = await lab.onHost(
          name,
          "ip -o link show type vxlan; ip -o link show type geneve",
        );
        if (links.trim() !== "") found.push(`${name}: ${links.trim()}`);
        const routes = await lab.onHost(name, "ip route; ip -6 route");
        for (const peer of items.filter((item) => item.metadata.name !== name)) {
          const address = lab.facts.hosts.find((host) => host.name === peer.metadata.name);
          for (const cidr of peer.spec.podCIDRs) {
            const via = cidr.includes(":") ? address?.address6 : address?.address;
            if (!routes.includes(`${cidr} via ${via}`))
              found.push(`${name}: no route ${cidr} via ${via}`);
          }
        }
      }
      return expectNothing(
        found,
        "0 vxlan, 0 geneve; every peer's IPv4 and IPv6 share via its address",
      );
    },
  },
];

/** The agents by node. */
export async function agents(lab: Lab): Promise<{ node: string; pod: string }[]> {
  const output = await lab.kubectl(
    ...["-n", "kube-system", "get", "pods", "-l", "k8s-app=cilium", "-o"],
    'jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name}{"\\n"}{end}',
  );
  const all = output.split("\n").filter(Boolean);
  if (all.length !== lab.facts.hosts.length)
    throw new Error(`${all.length} agents for ${lab.facts.hosts.length} nodes`);
  return all.map((line) => {
    const [node = "", pod = ""] = line.split(" ");
    return { node, pod };
  });
}

/** Runs a command in an agent's container. */
export function inAgent(lab: Lab, pod: string, ...command: string[]): Promise<string> {
  return lab.kubectl("-n", "kube-system", "exec", pod, "-c", "cilium-agent", "--", ...command);
}
