import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import type { Manifest } from "../../plan/manifest.ts";
import { plan } from "../../plan/plan.ts";
import { renderYaml } from "../../plan/yaml.ts";
import { stack } from "../stack.ts";

const planned = (changes: Record<string, unknown>) =>
  plan(loadConfig(stack(changes), "test")).ciliumObjects;

/** The spec of the only object of a kind. */
function specOf({ objects, workload }: ReturnType<typeof planned>, kind: string) {
  const [found, ...others] = [...objects, ...workload].filter((one) => one.kind === kind);
  expect(others).toEqual([]);
  return (found as Manifest & { spec: Record<string, unknown> }).spec;
}

it("nothing is made that nobody asked for", () => {
  expect(planned({})).toEqual({ workload: [], objects: [] });
});

describe("addresses of services", () => {
  const l2 = { "cilium.l2announcements.enabled": true };
  const pool = (more: object) => ({
    "cilium.loadBalancerIPPools": [{ name: "a", blocks: [{ start: "10.10.0.200" }], ...more }],
  });

  it("are one address where a range has no end", () => {
    expect(specOf(planned({ ...l2, ...pool({}) }), "CiliumLoadBalancerIPPool")).toEqual({
      blocks: [{ start: "10.10.0.200", stop: "10.10.0.200" }],
      allowFirstLastIPs: "Yes",
    });
  });

  it("are Yes and No for a reader of YAML 1.1 too, and not true and false", () => {
    const { objects } = planned({ ...l2, ...pool({ allowFirstLastIPs: false }) });
    expect(renderYaml(...objects)).toContain('allowFirstLastIPs: "No"');
  });

  it("are announced by workers on the VLAN alone", () => {
    const changes = { ...l2, "network.vlan.interface": "eth0.100" };
    expect(specOf(planned(changes), "CiliumL2AnnouncementPolicy")).toEqual({
      interfaces: ["^eth0\\.100$"],
      nodeSelector: {
        matchExpressions: [
          { key: "node-role.kubernetes.io/control-plane", operator: "DoesNotExist" },
        ],
      },
      loadBalancerIPs: true,
      externalIPs: false,
    });
  });

  it("are announced by every node where there is no worker", () => {
    const { nodes, ...rest } = stack(l2) as { nodes: { existing: unknown[] } };
    const config = loadConfig({ ...rest, nodes: { existing: nodes.existing.slice(0, 1) } }, "test");
    const policy = specOf(plan(config).ciliumObjects, "CiliumL2AnnouncementPolicy");
    expect(policy).not.toHaveProperty("nodeSelector");
  });

  it("are what is advertised by default, of all services", () => {
    const peers = [{ name: "tor", peerASN: 64_500, peerAddress: "10.10.0.1" }];
    const bgp = planned({ "cilium.bgpControlPlane": { enabled: true, localASN: 64_512, peers } });
    expect(specOf(bgp, "CiliumBGPAdvertisement")).toEqual({
      advertisements: [
        { advertisementType: "Service", service: { addresses: ["LoadBalancerIP"] }, selector: {} },
      ],
    });
  });
});

describe("NodeLocal DNSCache", () => {
  const cached = (changes: object = {}) =>
    planned({ "cilium.nodeLocalDns.enabled": true, ...changes });

  it("listens in kube-dns' place: the tenth address of the services", () => {
    const { template } = specOf(cached(), "DaemonSet") as {
      template: { spec: { hostNetwork?: boolean; containers: { args: string[] }[] } };
    };
    expect(template.spec.hostNetwork).toBeUndefined();
    expect(template.spec.containers[0]?.args).toEqual(
      expect.arrayContaining(["169.254.20.10,10.96.0.10", "-setupiptables=false"]),
    );
  });

  it("listens on the first family's addresses", () => {
    const { workload } = cached({
      "network.vlan.subnets": ["fd00:10:10::/64", "10.10.0.0/24"],
      "network.podSubnets": ["fd00:10:244::/56", "10.244.0.0/16"],
      "network.serviceSubnets": ["fd00:10:96::/112", "10.96.0.0/16"],
      ...Object.fromEntries(
        [0, 1, 2].map((i) => [
          `nodes.existing[${i}].addresses`,
          [`fd00:10:10::${11 + i}`, `10.10.0.${11 + i}`],
        ]),
      ),
    });
    const text = JSON.stringify(workload);
    expect(text).toContain("bind ::");
    expect(text).toContain("169.254.20.10,fd00:10:96::a");
  });

  it("comes before what leads pods to it", () => {
    const { workload, objects } = cached();
    expect(workload.map(({ kind }) => kind)).toContain("DaemonSet");
    expect(objects.map(({ kind }) => kind)).toEqual(["CiliumLocalRedirectPolicy"]);
  });

  it("is whom policies let pods ask, beside CoreDNS", () => {
    const asked = (changes: object) =>
      JSON.stringify(planned({ "policies.defaultDeny": ["shop"], ...changes })).match(
        /"k8s:k8s-app":"[a-z-]+"/g,
      );
    expect(asked({})).toEqual(['"k8s:k8s-app":"kube-dns"']);
    expect(asked({ "cilium.nodeLocalDns.enabled": true })).toEqual([
      '"k8s:k8s-app":"kube-dns"',
      '"k8s:k8s-app":"node-local-dns"',
    ]);
  });
});

describe("policies", () => {
  const policy = (more: object, changes: object = {}) =>
    specOf(
      planned({
        "policies.networkPolicies": [{ name: "a", namespace: "jobs", ...more }],
        ...changes,
      }),
      "CiliumNetworkPolicy",
    );
  const toFQDNs = [{ matchName: "api.example.no" }];
  const dns = { rules: { dns: [{ matchPattern: "*" }] } };

  it("deny by default both ways, but for names", () => {
    const denied = specOf(planned({ "policies.defaultDeny": ["jobs"] }), "CiliumNetworkPolicy");
    expect(denied).toMatchObject({ endpointSelector: {}, ingress: [{}] });
    expect(denied.egress).toEqual([
      expect.objectContaining({ toPorts: [expect.objectContaining(dns)] }),
    ]);
  });

  it("let pods ask for names without the proxy too, unseen", () => {
    const without = {
      "cilium.l7Proxy": false,
      "gatewayApi.enabled": false,
      "gatewayApi.routes": [],
    };
    const denied = planned({ "policies.defaultDeny": ["jobs"], ...without });
    expect(JSON.stringify(denied)).toContain('"port":"53","protocol":"UDP"');
    expect(JSON.stringify(denied)).not.toContain("rules");
  });

  it("on names get the rule for DNS that lets pods learn them, first", () => {
    const { egress } = policy({ egress: [{ toFQDNs }] });
    expect(egress).toEqual([
      expect.objectContaining({ toPorts: [expect.objectContaining(dns)] }),
      { toFQDNs },
    ]);
  });

  it("get no second one beside their own", () => {
    const own = {
      toEndpoints: [{ matchLabels: { "k8s-app": "kube-dns" } }],
      toPorts: [{ ports: [{ port: 53, protocol: "ANY" }], ...dns }],
    };
    expect(policy({ egress: [own, { toFQDNs }] }).egress).toHaveLength(2);
  });

  it("say nothing of a direction that they do not name, and deny one that is empty", () => {
    const spec = policy({ egress: [] });
    expect(spec).not.toHaveProperty("ingress");
    expect(spec.egress).toEqual([{}]);
  });
});
