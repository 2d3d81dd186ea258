import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultServiceAccounts } from "../../plan/api-server/default-service-accounts.ts";
import { removedNodes } from "../../plan/api-server/removed-nodes.ts";
import { waitFor } from "../lab/shell.ts";
import { LoopbackControlPlane } from "./loopback.ts";

// The admission policies of this program, at a real API server.
const plane = new LoopbackControlPlane();
const { machine } = plane;
const at = (name: string) => machine.path(`kubelets/${name}.conf`);

beforeAll(async () => {
  plane.apiServerArguments = ["--enable-admission-plugins=NodeRestriction"];
  await plane.start();
  for (const name of ["turn.sh", "leave.sh", "mint-join.sh"]) machine.install(name);
  machine.write("state/cluster", "");
  machine.write("etc/oslo-cluster/removed-nodes.yaml", removedNodes());
  for (const name of ["worker-1", "worker-2"]) await makeKubelet(name);
  await plane.kubectl("create", "serviceaccount", "default");
  await plane.kubectl("create", "secret", "generic", "bound", "--from-literal=value=squirrel");
}, 600_000);

afterAll(() => plane.remove());

/** A certificate like the one that a kubelet has of its join. */
async function makeKubelet(name: string): Promise<void> {
  const config = machine.path("etc/oslo-cluster/kubeadm-init.yaml");
  const user = ["--client-name", `system:node:${name}`, "--org", "system:nodes"];
  const { stdout } = await plane.run("kubeadm", "kubeconfig", "user", "--config", config, ...user);
  machine.write(`kubelets/${name}.conf`, stdout);
}

const asNode = (name: string, ...args: string[]) =>
  plane.attempt("kubectl", "--kubeconfig", at(name), ...args);

function asNodeCreates(name: string, object: object) {
  machine.write("object.json", JSON.stringify(object));
  return asNode(name, "create", "-f", machine.path("object.json"));
}

const node = (name: string) => ({ apiVersion: "v1", kind: "Node", metadata: { name } });

/** A pod that the scheduler would have put there, with the Secret. */
async function bindPod(name: string): Promise<void> {
  const pod = {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "reader" } },
    spec: {
      nodeName: name,
      automountServiceAccountToken: false,
      containers: [{ name: "c", image: "none", envFrom: [{ secretRef: { name: "bound" } }] }],
    },
  };
  machine.write("pod.json", JSON.stringify(pod));
  await plane.kubectl("create", "-f", machine.path("pod.json"));
  await waitFor(
    "the node reads its pod's Secret",
    120,
    async () => (await reads(name)).exitCode === 0,
  );
}

const reads = (name: string) => asNode(name, "get", "secret", "bound", "-o", "name");

async function renewal(name: string): Promise<object> {
  const words = ["-newkey", "rsa:2048", "-nodes", "-keyout", machine.path("new.key")];
  const subject = ["-subj", `/O=system:nodes/CN=system:node:${name}`];
  const { stdout } = await plane.run("openssl", "req", "-new", ...words, ...subject);
  return {
    ...{ apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest" },
    metadata: { generateName: "renewal-" },
    spec: {
      request: Buffer.from(stdout).toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client-kubelet",
      usages: ["digital signature", "client auth"],
    },
  };
}

// As the kubelet would ask.
describe("a node's client certificate", () => {
  it("without leave, it makes its Node again, and reads what is scheduled there", async () => {
    expect(await asNodeCreates("worker-1", node("worker-1"))).toMatchObject({ exitCode: 0 });
    await plane.kubectl("delete", "node", "worker-1");
    expect(await asNodeCreates("worker-1", node("worker-1"))).toMatchObject({ exitCode: 0 });
    await bindPod("worker-1");
  });

  it("after leave, it reads no Secret, makes no Node and renews nothing", async () => {
    const left = await plane.attempt("bash", machine.path("lib/leave.sh"), "worker-1", "10");
    expect(left.exitCode, left.all).toBe(0);
    expect(left).toMatchObject({
      exitCode: 0,
      all: expect.stringContaining("has left the cluster"),
    });
    // Its parameters reach the admission of the API server by a watch.
    await waitFor("the policy is in force", 120, async () => {
      const create = ["create", "--dry-run=server", "-f", machine.path("object.json")];
      return (await asNode("worker-1", ...create)).all?.includes("has left the cluster") === true;
    });
    const refused = {
      exitCode: 1,
      all: expect.stringContaining("node worker-1 has left the cluster"),
    };
    expect(await asNodeCreates("worker-1", node("worker-1"))).toMatchObject(refused);
    expect(await asNodeCreates("worker-1", await renewal("worker-1"))).toMatchObject(refused);
    // The graph of who may read what follows by a watch as well.
    await waitFor("its pod's Secret to be out of reach", 120, async () => {
      return (await reads("worker-1")).all?.includes("no relationship found") === true;
    });
  });

  it("leaves the other nodes alone", async () => {
    expect(await asNodeCreates("worker-2", node("worker-2"))).toMatchObject({ exitCode: 0 });
    expect(await asNodeCreates("worker-2", await renewal("worker-2"))).toMatchObject({
      exitCode: 0,
    });
  });

  it("a second leave changes nothing, and another name that leaves keeps the first", async () => {
    for (const name of ["worker-1", "worker-2"]) {
      const { exitCode } = await plane.attempt("bash", machine.path("lib/leave.sh"), name, "10");
      expect(exitCode).toBe(0);
    }
    const { stdout } = await plane.kubectl(
      ...[
        "-n",
        "kube-system",
        "get",
        "configmap",
        "oslo-cluster-removed-nodes",
        "-o",
        "jsonpath={.data}",
      ],
    );
    expect(Object.keys(JSON.parse(stdout))).toEqual(["worker-1", "worker-2"]);
  });

  it("a join of the name lets it in again, and says what that means", async () => {
    const mint = 'exec bash "$0" worker worker-1 </dev/null';
    const minted = await plane.attempt("bash", "-c", mint, machine.path("lib/mint-join.sh"));
    expect(minted.exitCode, minted.stderr).toBe(0);
    expect(minted.stderr).toMatch(/node worker-1 left the cluster at .* and joins again/);
    await waitFor("the node may register", 120, async () => {
      return (await asNodeCreates("worker-1", node("worker-1"))).exitCode === 0;
    });
    expect((await asNodeCreates("worker-2", node("worker-2"))).all).toContain("worker-2 has left");
  });
});

describe("default service accounts", () => {
  /** A function of the step, as oslo-step calls it. */
  const step = (part: string, automount: boolean) =>
    plane.attempt(
      ...["bash", "-euo", "pipefail", "-c"],
      `WORK=$1 STEP=service-accounts AUTOMOUNT=${automount}; source "$2/lib.sh"; source "$2/service-accounts.sh"; ${part}`,
      ...["bash", machine.path(automount ? "work-without" : "work"), machine.path("lib")],
    );
  const automount = async (namespace: string) => {
    const path = ["-o", "jsonpath={.automountServiceAccountToken}"];
    return (await plane.kubectl("-n", namespace, "get", "serviceaccount", "default", ...path))
      .stdout;
  };
  const policy = "etc/oslo-cluster/service-accounts.yaml";

  beforeAll(async () => {
    machine.install("service-accounts.sh");
    machine.write(`work/files/${machine.path(policy)}`, defaultServiceAccounts());
    await plane.kubectl("create", "namespace", "before");
    // No controller runs that would make them.
    for (const namespace of ["before", "kube-system"])
      await plane.kubectl("-n", namespace, "create", "serviceaccount", "default");
  });

  it("mount a token without the policy, and the step's check says so", async () => {
    expect(await automount("before")).toBe("");
    const { stdout } = await step("check", false);
    expect(stdout).toContain(
      "the policy oslo-cluster-default-service-accounts or its binding is missing",
    );
    expect(stdout).toContain("before/default mounts its token");
  });

  it("mount none with it, in namespaces from before and from the very moment after", async () => {
    await plane.kubectl("create", "namespace", "later");
    expect(await step("apply", false)).toMatchObject({ exitCode: 0 });
    await plane.kubectl("-n", "later", "create", "serviceaccount", "default");
    expect(await automount("later")).toBe("false");
    expect(await step("check", false)).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await automount("before")).toBe("false");
    await plane.kubectl("-n", "later", "create", "serviceaccount", "other");
    const other = await plane.kubectl(
      "-n",
      "later",
      "get",
      "serviceaccount",
      "other",
      "-o",
      "yaml",
    );
    expect(other.stdout).not.toContain("automount");
  });

  it("are left alone where somebody wrote that they mount one", async () => {
    const patch = '{"automountServiceAccountToken":true}';
    await plane.kubectl("-n", "later", "patch", "serviceaccount", "default", "--patch", patch);
    expect(await step("apply", false)).toMatchObject({ exitCode: 0 });
    expect(await automount("later")).toBe("true");
  });

  it("are Kubernetes' own again where the stack's file asks for that", async () => {
    expect(await step("apply", true)).toMatchObject({ exitCode: 0 });
    expect(await step("check", true)).toMatchObject({ exitCode: 0, stdout: "" });
    expect(machine.read(policy)).toBe("");
  });
});
