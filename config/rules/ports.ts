import { ports, reservedPorts } from "../ports.ts";
import type { Rule } from "../rule.ts";

const apiServer = "the API server";

/** A TCP port of a node belongs to one program: the second does not start, or answers in its place. */
export const distinctPorts: Rule = function* ({ cluster, nodes }) {
  const { port } = cluster.endpoint;
  const own = ports({ cluster }).filter(({ protocol }) => protocol === "tcp");
  const ownerOf = (wanted: number, besides: string) =>
    own.find(({ first, last, owner }) => owner !== besides && first <= wanted && wanted <= last)
      ?.owner;
  const owner = ownerOf(port, apiServer);
  if (owner !== undefined) {
    yield {
      path: "cluster.endpoint.port",
      value: port,
      why: `on control planes it is the port of ${owner}`,
      fix: "give another port, such as 6443",
    };
  }
  for (const { ssh, addresses, role, at } of nodes) {
    // Another host may pass another port of its own on to sshd.
    if (!addresses.includes(ssh.host)) continue;
    const other = ownerOf(ssh.port, role === "control-plane" ? "sshd" : apiServer);
    if (other === undefined || other === "sshd") continue;
    if (other === apiServer && owner !== undefined) continue; // Said above.
    yield {
      path: at.name.replace(/name$/, "ssh.port"),
      value: ssh.port,
      why: `on that node it is the port of ${other}`,
      fix: "let sshd listen on another port, such as 22, and write it here",
    };
  }
};

/** Ephemeral sockets take no port that a part of the cluster listens on. */
export const keptPorts: Rule = function* (config) {
  const key = "net.ipv4.ip_local_reserved_ports";
  const text = config.tuning.sysctl[key];
  if (text === undefined) return;
  const written = rangesOf(text);
  const missing = rangesOf(reservedPorts(config)).flatMap(([first, last]) => {
    const left: number[] = [];
    for (let port = first; port <= last; port++) {
      if (!written.some(([from, to]) => from <= port && port <= to)) left.push(port);
    }
    return left;
  });
  if (missing.length === 0) return;
  yield {
    path: `tuning.sysctl["${key}"]`,
    value: text,
    why: `leaves out ${missing.length} ports of the cluster's, ${missing[0]} first: a connection from the node could take it, and its program would not start`,
    fix: `write them as well (${reservedPorts(config)}), or remove it`,
  };
};

/** As the kernel reads it: `1-4,9`. */
function rangesOf(text: string): [first: number, last: number][] {
  return text.split(",").map((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return [first, last];
  });
}
