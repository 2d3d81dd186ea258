import { toldAddress } from "../address.ts";
import { type Cluster, onEveryNode } from "../cluster.ts";
import { namespace, namespaceObject, unitPrefix, workDirectory } from "./namespace.ts";

/** A pod of ours on a node. */
export interface Probe {
  node: string;
  name: string;
  addresses: string[];
}

/** What the probe pods answer on. */
export const ports = {
  /** TCP: one line, the client's address. */
  tcp: 8080,
  /** UDP: the datagram itself. */
  udp: 8081,
  /** HTTP: one line, the node's name. */
  http: 8082,
  /** TCP: as `tcp`, but a policy lets nobody in. */
  denied: 8083,
} as const;

/** How long the answering processes live on a node whose operator went away, in seconds. */
const lifetimeSeconds = 300;

/**
 * What answers may be asked by anyone who reaches a node: it is nobody on the node, has the pod's network
 * alone from its first instruction, and as many processes as its bound.
 */
const confinement = [
  "DynamicUser=yes",
  "CapabilityBoundingSet=",
  "NoNewPrivileges=yes",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "PrivateDevices=yes",
  "RestrictNamespaces=yes",
  "'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK'",
  "SystemCallFilter=@system-service",
  "TasksMax=256",
  "MemoryMax=128M",
  `RuntimeMaxSec=${lifetimeSeconds}`,
];
/** Connections of one listener at a time (socat has no such bound for datagrams: TasksMax holds), and seconds that a silent one is kept. */
const bound = { children: 64, idleSeconds: 30 };

/**
 * A pod on every node, answering. The pod holds nothing but a network: what answers in it are the
 * node's own tools, in units of systemd, so that a proof needs no image with tools in it.
 */
export function probes(cluster: Cluster): Promise<Probe[]> {
  return cluster.once("probes", async (cluster) => {
    await cluster.apply([namespaceObject]);
    // A pod is refused until the controller manager has made its service account; after a restart
    // of the API server that takes seconds.
    const account = ["serviceaccount/default", "--timeout=60s"];
    await cluster.kubectl("-n", namespace, "wait", "--for=create", ...account);
    await cluster.apply(cluster.nodes.map((node) => pod(node, cluster.config.verify.image)));
    await cluster.kubectl(
      ...["-n", namespace, "wait", "--for=condition=Ready", "--timeout=60s", "pods", "--all"],
    );
    const { items } = JSON.parse(
      await cluster.kubectl("-n", namespace, "get", "pods", "-o", "json"),
    ) as {
      items: {
        metadata: { name: string };
        spec: { nodeName: string };
        status: { podIPs: { ip: string }[] };
      }[];
    };
    const found = items.map(({ metadata, spec, status }) => ({
      node: spec.nodeName,
      name: metadata.name,
      addresses: status.podIPs.map(({ ip }) =>
        toldAddress(ip, `the address of pod ${metadata.name}`),
      ),
    }));
    await onEveryNode(cluster, (node) => serve(probeOn(found, node)));
    return found;
  });
}

export function probeOn(all: readonly Probe[], node: string): Probe {
  const probe = all.find((candidate) => candidate.node === node);
  if (probe === undefined) throw new Error(`${node}: no probe pod runs there`);
  return probe;
}

/** The next node in a ring, so that each node is once a sender and once a receiver. */
export function peerOf(nodes: readonly string[], node: string): string {
  return nodes[(nodes.indexOf(node) + 1) % nodes.length] as string;
}

/** Shell function `inpod COMMAND…`: runs a command in the network of this node's probe pod. */
export const inPod = `inpod() { nsenter --net="$(cat ${workDirectory}/netns)" -- "$@"; }
`;

function pod(node: string, image: string) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `probe-${node}`, namespace, labels: { "verify-node": node } },
    spec: {
      nodeName: node,
      tolerations: [{ operator: "Exists" }],
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "network",
          image,
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
            runAsNonRoot: true,
            runAsUser: 65_534,
            seccompProfile: { type: "RuntimeDefault" },
          },
        },
      ],
    },
  };
}

/** Finds the pod's network by its address, and starts what answers in it. */
export function serve({ node, addresses }: Probe): string {
  const families = addresses.map((address) => (address.includes(":") ? 6 : 4));
  const listen = (protocol: "TCP" | "UDP", family: number, port: number) => {
    const only = family === 6 ? ",ipv6only=1" : "";
    return protocol === "TCP"
      ? `TCP${family}-LISTEN:${port},fork,max-children=${bound.children},reuseaddr${only}`
      : `UDP${family}-RECVFROM:${port},fork${only}`;
  };
  const units = families.flatMap((family) => [
    `start tcp${family} '${listen("TCP", family, ports.tcp)}' 'SYSTEM:echo "$SOCAT_PEERADDR"'`,
    `start denied${family} '${listen("TCP", family, ports.denied)}' 'SYSTEM:echo "$SOCAT_PEERADDR"'`,
    `start udp${family} '${listen("UDP", family, ports.udp)}' EXEC:cat`,
    `start http${family} '${listen("TCP", family, ports.http)}' 'EXEC:bash ${workDirectory}/http'`,
  ]);
  return `set -e
install --directory --mode=0755 ${workDirectory}
netns=
for candidate in /run/netns/*; do
  if ip -n "\${candidate##*/}" -o address show | grep -F ' ${addresses[0]}/' >/dev/null; then netns=$candidate; fi
done
[ -n "$netns" ] || { echo 'no network namespace has ${addresses[0]}' >&2; exit 1; }
echo "$netns" >${workDirectory}/netns
cat >${workDirectory}/http <<'SCRIPT'
while IFS= read -r line && [ "\${line%?}" ]; do :; done
printf 'HTTP/1.1 200 OK\\r\\nContent-Length: %s\\r\\nConnection: close\\r\\n\\r\\n%s\\n' ${node.length + 1} ${node}
SCRIPT
chmod 0644 ${workDirectory}/http
start() {
  systemd-run --quiet --collect --unit="${unitPrefix}-$1" \\
    --property=NetworkNamespacePath="$netns" ${confinement.map((one) => `--property=${one}`).join(" ")} \\
    socat -T ${bound.idleSeconds} "$2" "$3"
}
${units.join("\n")}
for try in $(seq 300); do
  [ "$(nsenter --net="$netns" -- ss -lntuH | wc -l)" -ge ${units.length} ] && exit
  sleep 0.1
done
echo 'the probe does not answer: systemctl status ${unitPrefix}-*' >&2
exit 1`;
}
