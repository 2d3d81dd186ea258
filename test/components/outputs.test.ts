import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { planOf, stackFiles } from "../stacks.ts";
import { runProgram } from "./program.ts";

type Outputs = Awaited<ReturnType<typeof runProgram>>["outputs"];

const runs = new Map<string, Promise<Outputs>>();

/** What a stack exports; each stack and mode runs once. */
function outputsOf(stack: keyof typeof stackFiles = "articles", preview = false): Promise<Outputs> {
  const key = `${stack} ${preview}`;
  const run = runs.get(key) ?? runFor(stack, preview);
  runs.set(key, run);
  return run;
}

async function runFor(stack: keyof typeof stackFiles, preview: boolean): Promise<Outputs> {
  return (await runProgram(stackFiles[stack], { preview })).outputs;
}

async function look(outputs: Outputs, name: string) {
  const output = pulumi.output(outputs[name]) as pulumi.Output<unknown> & {
    promise(): Promise<unknown>;
    isKnown: Promise<boolean>;
    isSecret: Promise<boolean>;
  };
  const [value, known, secret] = [output.promise(), output.isKnown, output.isSecret];
  return { value: await value, known: await known, secret: await secret };
}

describe("after up", () => {
  it("endpoint is the API server's", async () => {
    const outputs = await outputsOf();
    expect((await look(outputs, "endpoint")).value).toBe("https://cp-1.dev.example.no:6443");
  });

  it.each([
    ["articles", "root@cp-1.dev.example.no"],
    ["two-nodes", "operator@192.0.2.10"],
  ] as const)("kubeconfig of %s is a secret that holds none", async (stack, destination) => {
    const outputs = await outputsOf(stack);
    const { value, secret } = await look(outputs, "kubeconfig");
    expect(secret).toBe(true);
    const kubeconfig = JSON.parse(value as string);
    const [{ cluster }] = kubeconfig.clusters;
    expect(cluster["certificate-authority-data"]).toBe("Q0E=");
    expect(cluster).not.toHaveProperty("insecure-skip-tls-verify");
    const [{ user }] = kubeconfig.users;
    expect(Object.keys(user)).toEqual(["exec"]);
    const [, asks] = user.exec.args;
    expect(asks).toContain(` ${destination} `);
    expect(asks).toContain("StrictHostKeyChecking=yes");
    expect(asks).toMatch(/^ssh -o ConnectTimeout=5 .*oslo-step credential'?$/);
    expect(kubeconfig["current-context"]).toBe(kubeconfig.contexts[0].name);
  });

  it("controlPlanes are the machines that the next change is held against", async () => {
    const { value, secret } = await look(await outputsOf(), "controlPlanes");
    const { nodes } = planOf("articles");
    expect(value).toEqual({ "cp-1": nodes[0]?.reach.hostKey });
    expect(secret).toBe(false);
  });

  it("gates are the readings of each node", async () => {
    const outputs = await outputsOf();
    const { value } = await look(outputs, "gates");
    expect(Object.keys(value as object)).toEqual(["cp-1", "worker-1", "worker-2"]);
    expect(value).toMatchObject({
      "cp-1": { etcdFsyncP99Milliseconds: 1.234, stealPercent: 0 },
      "worker-1": { cpus: 4 },
    });
  });

  it("id is the stack's own, and known to nothing else", async () => {
    const { value, secret } = await look(await outputsOf(), "id");
    expect([value, secret]).toEqual(["id-id", false]);
  });

  it("datapath is what passed between the nodes, and the mode that it allows", async () => {
    const { value } = await look(await outputsOf(), "datapath");
    const paths = { "a -> b": { ipv4: { plain: true, option: true } } };
    expect(value).toEqual({ loadBalancerMode: "dsr", paths });
  });

  it("versions are what runs", async () => {
    const outputs = await outputsOf();
    expect((await look(outputs, "versions")).value).toMatchObject({
      kubernetes: "1.36.3",
      cilium: "1.20.2",
      gatewayApi: "1.6.1",
    });
  });
});

it("hypervisors tell what they had left", async () => {
  const value = { "hv-1": { cpus: 8 }, "hv-2": { cpus: 8 } };
  expect(await look(await outputsOf("libvirt"), "hypervisors")).toMatchObject({ value });
  expect(await look(await outputsOf("articles"), "hypervisors")).toMatchObject({ value: {} });
});

describe("in a first preview", () => {
  it("what only up can tell is unknown, and nothing fails", async () => {
    const outputs = await outputsOf("articles", true);
    expect(Object.keys(outputs).sort()).toEqual([
      "backupKeys",
      "controlPlanes",
      "datapath",
      "endpoint",
      "gates",
      "hypervisors",
      "id",
      "kubeconfig",
      "versions",
    ]);
    expect(await look(outputs, "endpoint")).toMatchObject({ known: true });
    expect(await look(outputs, "gates")).toMatchObject({ known: false });
    expect(await look(outputs, "kubeconfig")).toMatchObject({ known: false, secret: true });
  });
});
