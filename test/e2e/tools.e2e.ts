import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ciliumValues } from "../../plan/cilium.ts";
import { configOf, planOf, stackNames } from "../stacks.ts";
import { object, template } from "./chart.ts";
import { realTools } from "./tools.ts";

let tools: Awaited<ReturnType<typeof realTools>>;
beforeAll(async () => {
  tools = await realTools();
});

const folder = mkdtempSync(join(tmpdir(), "tools-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function validate(document: string) {
  const file = write("kubeadm.yaml", document);
  const result = await execa(tools.kubeadm, ["config", "validate", "--config", file], {
    reject: false,
    all: true,
  });
  return { exitCode: result.exitCode, all: result.all };
}

/** With a file in the place of what a join mints. */
function minted(document: string): string {
  return document.replace("__DISCOVERY__", write("discovery.conf", ""));
}

describe.each(stackNames)("kubeadm takes the documents of %s", (stack) => {
  const documents = planOf(stack).nodes.flatMap((node) =>
    Object.values(node.steps).flatMap(({ files }) =>
      Object.entries(files)
        .filter(([path]) => /\/kubeadm-(init|join)\.yaml$/.test(path))
        .map(([path, content]) => [`${node.name}${path}`, content] as const),
    ),
  );

  it("of every node", () => {
    const { nodes } = planOf(stack);
    const controlPlanes = nodes.filter(({ role }) => role === "control-plane");
    // Who begins a cluster and who joins is decided on the node: control planes have both.
    expect(documents).toHaveLength(nodes.length + controlPlanes.length);
  });

  it.each(documents)("%s", async (_, content) => {
    expect(await validate(minted(content))).toEqual({ exitCode: 0, all: "ok" });
  });

  it.each(documents)("%s, but not with a field that does not exist", async (_, content) => {
    const { exitCode, all } = await validate(minted(content.replace("kind:", "typo: 1\nkind:")));
    expect(exitCode).not.toBe(0);
    expect(all).toContain("typo");
  });
});

describe.each(stackNames)("Cilium's chart and its schema take the values of %s", (stack) => {
  const config = configOf(stack);
  const values = ciliumValues(config);
  const dualStack = config.network.families.length === 2;
  const withGateway = config.gatewayApi.enabled;
  let rendered: string;

  beforeAll(async () => {
    const { exitCode, stdout, stderr } = await template(tools, values, config.kubernetes.version);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    rendered = stdout;
  });

  it("and the agents get what was meant", () => {
    const { data } = object(rendered, "ConfigMap", "cilium-config");
    expect(data).toMatchObject({
      "routing-mode": "native",
      "auto-direct-node-routes": "true",
      "kube-proxy-replacement": "true",
      "bpf-lb-mode": config.cilium.loadBalancer.mode,
      "bpf-lb-dsr-dispatch": config.cilium.loadBalancer.dsrDispatch,
      "bpf-lb-acceleration": config.cilium.loadBalancer.acceleration,
      "enable-ipv4": "true",
      "enable-ipv6": String(dualStack),
      "enable-bpf-masquerade": "true",
      "enable-ipv4-masquerade": "true",
      "enable-ipv6-masquerade": String(dualStack),
      "enable-host-legacy-routing": "false",
      "ipv4-native-routing-cidr": config.network.podSubnets[0],
      "direct-routing-device": config.network.vlan.interface,
      "enable-l7-proxy": String(config.cilium.l7Proxy),
      "cluster-name": config.cluster.name,
      ipam: "kubernetes",
      mtu: String(config.network.mtu),
    });
    // What is off is absent.
    const { bandwidthManager } = config.cilium;
    expect(data["enable-bandwidth-manager"] === "true").toBe(bandwidthManager.enabled);
    expect(data["enable-bbr"] === "true").toBe(bandwidthManager.bbr);
    expect(data["enable-gateway-api"] === "true").toBe(withGateway);
    expect(data["ipv6-native-routing-cidr"]).toBe(config.network.podSubnets[1]);
  });

  it("and find the API server by the node's own balancer", () => {
    const { spec } = object(rendered, "DaemonSet", "cilium").spec.template;
    const agent = spec.containers.find(({ name }: { name: string }) => name === "cilium-agent");
    expect(agent.env).toContainEqual({
      name: "KUBERNETES_SERVICE_HOST",
      value: "127.0.0.1",
    });
    expect(agent.env).toContainEqual({
      name: "KUBERNETES_SERVICE_PORT",
      value: "7443",
    });
  });

  it("and the GatewayClass is there when it is wanted", () => {
    const found = object(rendered, "GatewayClass", "cilium");
    expect(found?.spec.controllerName).toBe(
      withGateway ? "io.cilium/gateway-controller" : undefined,
    );
  });

  it("and the same values make the same manifests, or no plan would be empty", async () => {
    expect((await template(tools, values, config.kubernetes.version)).stdout).toBe(rendered);
  });
});

describe("Cilium's chart itself refuses what the configuration refuses", () => {
  const config = configOf("articles");
  it.each([
    ["a tunnel by its old name", { tunnel: "disabled" }, "tunnel"],
    ["kube-proxy replacement by its old word", { kubeProxyReplacement: "strict" }, "kubeProxy"],
    ["the Gateway API without the L7 proxy", { l7Proxy: false }, "l7Proxy"],
    ["a long cluster name", { cluster: { name: "a".repeat(33) } }, "32 characters"],
  ])("%s", async (_, change, says) => {
    const values = { ...ciliumValues(config), ...change };
    const { exitCode, stderr } = await template(tools, values, config.kubernetes.version);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(says);
  });
});
