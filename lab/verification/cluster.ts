import { hasDatapath } from "../stack.ts";
import { expectNothing, onEveryHost, type Proof } from "./proof.ts";

interface NodeStatus {
  metadata: { name: string };
  spec: { podCIDRs?: string[] };
  status: {
    nodeInfo: { kubeletVersion: string; containerRuntimeVersion: string };
    conditions: { type: string; status: string }[];
  };
}

/** What holds without a datapath. */
export const clusterProofs: Proof[] = [
  {
    promise: "every host is a node, at the version that was asked for",
    async prove({ facts, kubectl }) {
      const { items } = JSON.parse(await kubectl("get", "nodes", "-o", "json")) as {
        items: NodeStatus[];
      };
      const wanted = `v${facts.versions.kubernetes}`;
      const wrong = facts.hosts.flatMap(({ name }) => {
        const node = items.find((item) => item.metadata.name === name);
        if (node === undefined) return [`${name} is not a node`];
        const { kubeletVersion } = node.status.nodeInfo;
        return kubeletVersion === wanted ? [] : [`${name} runs ${kubeletVersion}`];
      });
      const runtime = items[0]?.status.nodeInfo.containerRuntimeVersion;
      return expectNothing(wrong, `${items.length} nodes, ${wanted}, ${runtime}`);
    },
  },
  {
    promise: "each node has its share of the pod subnets, IPv4 and IPv6",
    async prove({ kubectl }) {
      const { items } = JSON.parse(await kubectl("get", "nodes", "-o", "json")) as {
        items: NodeStatus[];
      };
      const shares = items.map(
        (item) => `${item.metadata.name}: ${item.spec.podCIDRs?.join(", ") ?? "none"}`,
      );
      const wrong = items
        .filter(({ spec }) => spec.podCIDRs?.length !== 2)
        .map(({ metadata }) => `${metadata.name} has not two shares`);
      return expectNothing(wrong, shares.join("; "));
    },
  },
  {
    promise: "no kube-proxy, and none of its rules in iptables, ip6tables and nftables",
    async prove(lab) {
      const daemonSets = await lab.kubectl("-n", "kube-system", "get", "daemonsets", "-o", "name");
      const rules = await onEveryHost(
        lab,
        "for t in iptables-save ip6tables-save 'nft list ruleset'; do command -v $(echo $t | cut -d' ' -f1) >/dev/null && $t 2>/dev/null; done | grep -cE 'KUBE-(SVC|SEP|SERVICES|NODEPORTS)' || true",
      );
      const found = rules
        .filter(({ output }) => output !== "0")
        .map((r) => `${r.host}: ${r.output} rules`);
      if (daemonSets.includes("kube-proxy")) found.push("the DaemonSet kube-proxy exists");
      return expectNothing(found, "no DaemonSet; 0 rules on every node");
    },
  },
  {
    promise: "the Gateway API's CRDs are established",
    async prove({ kubectl }) {
      const output = await kubectl(
        ...["get", "crds", "-o"],
        'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Established")].status}{"\\n"}{end}',
      );
      const crds = output.split("\n").filter((line) => line.includes("gateway.networking.k8s.io"));
      const wrong = crds.filter((line) => !line.endsWith(" True"));
      if (crds.length !== 7) wrong.push(`${crds.length} CRDs, expected 7`);
      return expectNothing(wrong, `${crds.length} of 7`);
    },
  },
  {
    promise: "the route stands as written, and the gateway where Envoy can serve one",
    async prove({ kubectl, facts }) {
      const weights = await kubectl(
        ...["-n", "finance", "get", "httproute", "payment-processor", "-o"],
        "jsonpath={.spec.rules[0].backendRefs[*].weight} {.spec.rules[0].filters[0].requestHeaderModifier.set[0]}",
      );
      const gateway = await kubectl(
        "get",
        "gateway",
        "external-gateway",
        "--ignore-not-found",
        "-o",
        "jsonpath={.spec.gatewayClassName}",
      );
      const reading = `gateway of class ${gateway || "(not made)"}; weights and header: ${weights}`;
      const holds =
        gateway === (hasDatapath(facts) ? "" : "cilium") &&
        weights.startsWith("95 5 ") &&
        weights.includes("NO-OSL-1");
      return { result: holds ? "passed" : "failed", reading };
    },
  },
  {
    promise: "secrets are encrypted in etcd",
    async prove({ kubectl, onHost }) {
      const canary = "oslo-canary-in-clear";
      await kubectl("-n", "default", "delete", "secret", "canary", "--ignore-not-found");
      await kubectl(
        "-n",
        "default",
        "create",
        "secret",
        "generic",
        "canary",
        `--from-literal=value=${canary}`,
      );
      // etcd's own gateway: keys and values in base64.
      const key = Buffer.from("/registry/secrets/default/canary").toString("base64");
      const answer = await onHost(
        "cp-1",
        `cd /etc/kubernetes/pki/etcd && curl -sS --cacert ca.crt --cert server.crt --key server.key -d '{"key":"${key}"}' https://127.0.0.1:2379/v3/kv/range`,
      );
      await kubectl("-n", "default", "delete", "secret", "canary");
      const value = Buffer.from(
        (JSON.parse(answer) as { kvs: { value: string }[] }).kvs[0]?.value ?? "",
        "base64",
      ).toString("latin1");
      const prefix = value.slice(0, 32).replace(/[^ -~]/g, ".");
      const holds = value.startsWith("k8s:enc:secretbox:v1:") && !value.includes(canary);
      return { result: holds ? "passed" : "failed", reading: `stored as ${prefix}…` };
    },
  },
  {
    promise: "no almighty credential lies about: super-admin.conf is gone, the init left no token",
    async prove({ onHost, kubectl }) {
      const found = (
        await onHost("cp-1", "ls /etc/kubernetes/super-admin.conf 2>/dev/null || true")
      ).trim();
      const { items } = JSON.parse(
        await kubectl(
          ...["-n", "kube-system", "get", "secrets", "-o", "json"],
          ...["--field-selector", "type=bootstrap.kubernetes.io/token"],
        ),
      ) as { items: { data: { description?: string } }[] };
      const tokens = items
        .map(({ data }) => Buffer.from(data.description ?? "", "base64").toString())
        .filter((description) => description !== "one join by oslo-cluster");
      return expectNothing(
        [
          found,
          ...tokens.map((description) => `a token: ${description || "(no description)"}`),
        ].filter(Boolean),
        `super-admin.conf: absent; tokens of joins, 15 minutes each: ${items.length}; others: 0`,
      );
    },
  },
];
