import { nth } from "../../config/cidr.ts";
import type { Config } from "../../config/config.ts";
import type { Manifest } from "../manifest.ts";

const name = "node-local-dns";
const namespace = "kube-system";
const metadata = { name, namespace, labels: { "k8s-app": name } };
const upstream = "kube-dns-upstream";
const ports = [
  { name: "dns", port: 53, protocol: "UDP" },
  { name: "dns-tcp", port: 53, protocol: "TCP" },
];

/** The labels that name servers have: policies on DNS select them. */
export const nameServers = (config: Pick<Config, "cilium">): string[] => [
  "kube-dns",
  ...(config.cilium.nodeLocalDns.enabled ? [name] : []),
];

/**
 * A DNS cache on every node, outside the host's network: Cilium leads what pods send to kube-dns to
 * the cache of their own node, and to kube-dns itself while that one is not ready.
 */
export function nodeLocalDnsWorkload(config: Config): Manifest[] {
  if (!config.cilium.nodeLocalDns.enabled) return [];
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "v1",
      kind: "Service",
      // The cache asks by another service than pods: its own questions must not come back to it.
      metadata: { name: upstream, namespace, labels: { "k8s-app": "kube-dns" } },
      spec: {
        selector: { "k8s-app": "kube-dns" },
        ports: ports.map((port) => ({ ...port, targetPort: 53 })),
      },
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { Corefile: corefile(config) } },
    daemonSet(config),
  ];
}

/** The redirection, once the cache is there to answer. */
export function nodeLocalDnsRedirect(config: Config): Manifest[] {
  if (!config.cilium.nodeLocalDns.enabled) return [];
  const toPorts = ports.map(({ name, port, protocol }) => ({ name, port: `${port}`, protocol }));
  return [
    {
      apiVersion: "cilium.io/v2",
      kind: "CiliumLocalRedirectPolicy",
      metadata: { name, namespace },
      spec: {
        redirectFrontend: { serviceMatcher: { serviceName: "kube-dns", namespace } },
        redirectBackend: {
          localEndpointSelector: { matchLabels: { "k8s-app": name } },
          toPorts,
        },
      },
    },
  ];
}

/** The cache itself fills in what is between underscores, from its arguments and resolv.conf. */
function corefile({ network }: Config): string {
  const bind = network.families[0] === 6 ? "::" : "0.0.0.0";
  const zone = (names: string, forward: string, more: string[] = []) =>
    [
      `${names} {`,
      "    errors",
      "    cache 30",
      "    reload",
      "    loop",
      `    bind ${bind}`,
      ...forward.split("\n").map((line) => `    ${line}`),
      "    prometheus :9253",
      ...more.map((line) => `    ${line}`),
      "}",
    ].join("\n");
  const cluster = "forward . __PILLAR__CLUSTER__DNS__ {\n    force_tcp\n}";
  return `${[
    zone("cluster.local:53", cluster, ["health"]),
    zone("in-addr.arpa:53", cluster),
    zone("ip6.arpa:53", cluster),
    zone(".:53", "forward . __PILLAR__UPSTREAM__SERVERS__"),
  ].join("\n")}\n`;
}

function daemonSet({ cilium, network }: Config): Manifest {
  // kubeadm gives CoreDNS the tenth address of the first service subnet.
  const kubeDns = nth((network.serviceSubnets[0] ?? "").split("/")[0] ?? "", 10);
  const health = { httpGet: { path: "/health", port: 8080 }, timeoutSeconds: 5 };
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata,
    spec: {
      selector: { matchLabels: metadata.labels },
      updateStrategy: { rollingUpdate: { maxUnavailable: "10%" } },
      template: {
        metadata: { labels: metadata.labels },
        spec: {
          priorityClassName: "system-node-critical",
          serviceAccountName: name,
          automountServiceAccountToken: false,
          // The node's own resolvers, not the cluster's: the cache is in front of those.
          dnsPolicy: "Default",
          tolerations: [{ operator: "Exists" }],
          containers: [
            {
              name: "node-cache",
              image: cilium.nodeLocalDns.image,
              args: [
                ...["-localip", `169.254.20.10,${kubeDns}`],
                ...["-conf", "/etc/Corefile", "-upstreamsvc", upstream],
                // No interface and no iptables rules of its own: Cilium leads pods here.
                ...["-setupinterface=false", "-setupiptables=false", "-skipteardown=true"],
              ],
              ports: [
                ...ports.map(({ name, port, protocol }) => ({
                  ...{ name, protocol },
                  containerPort: port,
                })),
                { name: "metrics", containerPort: 9253, protocol: "TCP" },
              ],
              readinessProbe: health,
              livenessProbe: { ...health, initialDelaySeconds: 60 },
              resources: { requests: { cpu: "25m", memory: "5Mi" } },
              volumeMounts: [
                { name: "config", mountPath: "/etc/coredns" },
                { name: "kube-dns-config", mountPath: "/etc/kube-dns" },
              ],
            },
          ],
          volumes: [
            {
              name: "config",
              configMap: { name, items: [{ key: "Corefile", path: "Corefile.base" }] },
            },
            { name: "kube-dns-config", configMap: { name: "kube-dns", optional: true } },
          ],
        },
      },
    },
  };
}
