import { isIP } from "node:net";
import type { Config } from "../config.ts";
import { formatPath } from "../issues.ts";
import type { Rule } from "../rule.ts";

/** A text of the configuration with the path where it is. */
type Text = [path: string, text: string];

/** What nodes and the program itself fetch and then run or believe. An image of guests has its own checksum. */
const origins = ({ artifacts }: Config): Text[] => [
  ["artifacts.kubernetes.url", artifacts.kubernetes.url],
  ["artifacts.containerd.url", artifacts.containerd.url],
  ...Object.entries(artifacts.registries).map(
    ([registry, mirror]): Text => [formatPath(["artifacts", "registries", registry]), mirror],
  ),
  ["artifacts.charts", artifacts.charts],
];

/** Who is on the way of http could serve another key, chart or image; nobody else may. */
export const plainHttp: Rule = function* (config) {
  const { plainHttpHosts } = config.artifacts;
  for (const [path, text] of origins(config)) {
    const { protocol, hostname } = new URL(text);
    if (protocol !== "http:" || plainHttpHosts.includes(bare(hostname))) continue;
    yield {
      path,
      value: text,
      why: "http lets anyone on the way put in what nodes then run",
      fix: `write https, or, for a private mirror that has none, add ${bare(hostname)} to artifacts.plainHttpHosts`,
    };
  }
  for (const [i, host] of plainHttpHosts.entries()) {
    if (isIP(host) === 0 || isPrivate(host)) continue;
    yield {
      path: `artifacts.plainHttpHosts[${i}]`,
      value: host,
      why: "not an address of a private network",
      fix: "ask that host by https, and remove it here",
    };
  }
};

/**
 * A login in an address would be in the state, in its backups and in files that every user of a node
 * can read (apt's sources, containerd's hosts.toml).
 */
export const noLogins: Rule = function* (config) {
  const image = config.libvirt?.image.url;
  const texts: Text[] = [
    ...origins(config),
    ...(image === undefined ? [] : [["nodes.libvirt.image.url", image] as Text]),
    ...textsOf(config.cilium.values, ["cilium", "values"]),
  ];
  for (const [path, text] of texts) {
    if (!hasLogin(text)) continue;
    yield {
      path,
      value: text,
      why: "a password or token in an address gets into the state and into files that every user of a node can read",
      fix:
        path.startsWith("artifacts.") && path.endsWith(".url")
          ? "leave it out, and write it on each node, before `up`, as `machine HOST login USER password PASSWORD` to /etc/apt/auth.conf.d/oslo-cluster.conf, mode 0600"
          : "leave it out, and have the host let the nodes and this machine in by their addresses",
    };
  }
};

const loginName = "token|secret|passw(or)?d|pwd|api-?_?key|signature|credential|auth";
const userInfo = /\b[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*@/i;
const query = new RegExp(
  `\\b[a-z][a-z0-9+.-]*://\\S*[?&;#](([\\w.-]*(${loginName})[\\w.-]*)|sig|key)=[^&\\s]`,
  "i",
);

function hasLogin(text: string): boolean {
  return userInfo.test(text) || query.test(text);
}

function textsOf(value: unknown, path: PropertyKey[]): Text[] {
  if (typeof value === "string") return [[formatPath(path), value]];
  if (typeof value !== "object" || value === null) return [];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, inner]) => textsOf(inner, [...path, key]));
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

function isPrivate(address: string): boolean {
  return isIP(address) === 4
    ? /^(10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(
        address,
      )
    : /^(f[cd]|fe[89ab])|^::1$/i.test(address);
}
