import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { loadConfig } from "../../config/load.ts";
import { type NodePlan, plan } from "../../plan/plan.ts";
import { stack } from "../stack.ts";

const { nodes } = plan(loadConfig(stack(), "test"));
const [first, worker] = nodes as [NodePlan, NodePlan, NodePlan];

/** The documents of one file of a step, by kind. */
function documents(node: NodePlan, step: string, path: string) {
  const text = node.steps[step]?.files[path] ?? "";
  const all = parseAllDocuments(text).map((document) => document.toJS());
  return Object.fromEntries(all.map((document) => [document.kind, document] as const));
}

const init = documents(first, "control-plane", "/etc/oslo-cluster/kubeadm-init.yaml");
const join = documents(worker, "kubeadm-join", "/etc/oslo-cluster/kubeadm-join.yaml");
const args = (list: { name: string; value: string }[]) =>
  Object.fromEntries(list.map(({ name, value }) => [name, value]));

describe("kubeadm init", () => {
  it("makes no kube-proxy, now or at an upgrade", () => {
    expect(init.ClusterConfiguration.proxy).toEqual({ disabled: true });
    expect(init.InitConfiguration.skipPhases).toContain("addon/kube-proxy");
  });

  it("answers health, and nothing else, to who has no credential", () => {
    const path = "/etc/kubernetes/authentication.yaml";
    expect(args(init.ClusterConfiguration.apiServer.extraArgs)["authentication-config"]).toBe(path);
    const { anonymous } = documents(first, "control-plane", path).AuthenticationConfiguration;
    expect(anonymous).toEqual({
      enabled: true,
      conditions: [{ path: "/livez" }, { path: "/readyz" }, { path: "/healthz" }],
    });
  });

  it("leaves no token behind", () => {
    expect(init.InitConfiguration.skipPhases).toContain("show-join-command");
    expect(init.InitConfiguration.bootstrapTokens).toBeUndefined();
  });

  it("has both families, in the order of the VLAN", () => {
    expect(init.ClusterConfiguration.networking).toMatchObject({
      podSubnet: "10.244.0.0/16,fd00:10:244::/56",
      serviceSubnet: "10.96.0.0/16,fd00:10:96::/112",
    });
    expect(args(init.ClusterConfiguration.controllerManager.extraArgs)).toMatchObject({
      "allocate-node-cidrs": "true",
      "node-cidr-mask-size-ipv4": "24",
      "node-cidr-mask-size-ipv6": "64",
    });
  });

  it("is hardened as CIS asks, with kubeadm's own admission plugin kept", () => {
    const { apiServer, controllerManager, scheduler } = init.ClusterConfiguration;
    expect(args(apiServer.extraArgs)).toMatchObject({
      "enable-admission-plugins": "NodeRestriction,DenyServiceExternalIPs",
      "service-account-extend-token-expiration": "false",
    });
    for (const { extraArgs } of [apiServer, controllerManager, scheduler])
      expect(args(extraArgs).profiling).toBe("false");
  });

  it("has secrets encrypted, requests audited and pods admitted by policy from the first boot", () => {
    const { extraArgs, extraVolumes } = init.ClusterConfiguration.apiServer;
    const given = args(extraArgs);
    const mounted = extraVolumes.map(({ mountPath }: { mountPath: string }) => mountPath);
    for (const flag of ["encryption-provider-config", "audit-policy-file", "audit-log-path"]) {
      const path = given[flag] as string;
      expect(mounted.some((mount: string) => path.startsWith(mount))).toBe(true);
    }
    const encryption = documents(
      first,
      "control-plane",
      "/etc/oslo-cluster/encryption-template.yaml",
    ).EncryptionConfiguration;
    expect(encryption.resources[0].providers[0].secretbox.keys[0].secret).toBe("__SECRETBOX_KEY__");
    expect(given).toMatchObject({ "audit-log-maxage": "30", "audit-log-maxsize": "100" });
  });

  it("advertises the node's address on the VLAN, and its certificate does not grow with the control planes", () => {
    expect(init.InitConfiguration.localAPIEndpoint).toEqual({
      advertiseAddress: "10.10.0.11",
      bindPort: 6443,
    });
    expect(init.ClusterConfiguration.apiServer.certSANs).toEqual(["10.10.0.11"]);
    expect(init.ClusterConfiguration.controlPlaneEndpoint).toBe("127.0.0.1:7443");
  });
});

it("a member of etcd without its data finds the others, or nothing", () => {
  expect(init.ClusterConfiguration.etcd.local.extraArgs).toContainEqual({
    name: "initial-cluster-state",
    value: "existing",
  });
});

describe("kubeadm join", () => {
  it("names the node's own balancer and holds placeholders in the place of credentials", () => {
    // By a file: without a credential nobody reads cluster-info.
    expect(join.JoinConfiguration.discovery).toEqual({ file: { kubeConfigPath: "__DISCOVERY__" } });
    const { Config } = documents(
      worker,
      "kubeadm-join",
      "/etc/oslo-cluster/kubeadm-discovery.yaml",
    );
    expect(Config.clusters[0].cluster).toEqual({
      server: "https://127.0.0.1:7443",
      "certificate-authority-data": "__CA_CERTIFICATE__",
    });
    expect(Config.users[0].user).toEqual({ token: "__TOKEN__" });
  });
});

it("an IPv6 endpoint is in brackets", () => {
  const changes = { "cluster.endpoint.host": "fd00:10:10::11" };
  expect(plan(loadConfig(stack(changes), "test")).endpoint).toBe("[fd00:10:10::11]:6443");
});

it("a cluster of one node measures no peers", () => {
  const one = (stack().nodes as { existing: unknown[] }).existing.slice(0, 1);
  const single = plan(loadConfig(stack({ "nodes.existing": one }), "test"));
  expect(Object.keys(single.nodes[0]?.steps ?? {})).not.toContain("gate-peers");
  expect(Object.keys(first.steps)).toContain("gate-peers");
});
