import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../lab/shell.ts";
import { type Asked, bad, good, kubelet, request, usages } from "../steps/requests.ts";
import { installApprover, startApprover } from "./approver.ts";
import { LoopbackControlPlane } from "./loopback.ts";

// The approver of kubelets' certificates against a real API server.

const plane = new LoopbackControlPlane();
const { machine } = plane;

beforeAll(async () => {
  await plane.start();
  installApprover(plane);
  // Whoever asks, so that all reaches the approver.
  await plane.kubectl("create", "clusterrole", "ask", "--verb=create,get", "--resource=csr");
  await plane.kubectl(
    ...["create", "clusterrolebinding", "ask"],
    ...["--clusterrole=ask", "--group=system:authenticated"],
  );
  startApprover(plane);
});

afterAll(() => plane.remove());

const node = "system:node:node-1";
const nodes = ["system:nodes"];

function create(items: object[], username = node, groups = nodes) {
  machine.write("requests.json", JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const as = [`--as=${username}`, ...groups.map((group) => `--as-group=${group}`)];
  return plane.attempt(
    ...["kubectl", "--kubeconfig", machine.path("etc/kubernetes/admin.conf"), ...as],
    ...["create", "--filename", machine.path("requests.json")],
  );
}

/** Sends requests; answers the names of those that the API server itself refused. */
async function send(asked: [name: string, asked: Asked][]): Promise<string[]> {
  const by = new Map<string, object[]>();
  for (const [name, one] of asked) {
    const { username = node, groups = nodes } = one;
    const who = JSON.stringify([username, groups]);
    by.set(who, [...(by.get(who) ?? []), object(name, one)]);
  }
  const refused: string[] = [];
  for (const [who, items] of by) {
    const [username, groups] = JSON.parse(who) as [string, string[]];
    const { stderr } = await create(items, username, groups);
    for (const [, name = ""] of stderr.matchAll(/"([a-z0-9-]+)" is invalid/g)) refused.push(name);
  }
  return refused;
}

const slug = (name: string) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-");

function object(name: string, { request: pem, usages: wanted = usages }: Asked) {
  return {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: slug(name) },
    spec: {
      request: Buffer.from(pem).toString("base64"),
      signerName: "kubernetes.io/kubelet-serving",
      usages: wanted,
    },
  };
}

interface Decided {
  metadata: { name: string };
  status: { conditions?: { type: string; message: string }[] };
}

async function decisions(): Promise<Map<string, string>> {
  const { stdout } = await plane.kubectl("get", "csr", "-o", "json");
  const { items } = JSON.parse(stdout) as { items: Decided[] };
  return new Map(
    items.map(({ metadata, status: { conditions = [] } }) => [
      metadata.name,
      conditions.map(({ type, message }) => `${type}: ${message}`).join(),
    ]),
  );
}

const undecided = async (names: string[]) => {
  const all = await decisions();
  return names.filter((name) => all.get(name) === "");
};

/** What it prints comes by a pipe, in its own time. */
const says = (words: RegExp) => waitFor(`${words}`, 60, () => words.test(plane.said("unshare")));

describe("the approver", () => {
  it("approves what a node of the plan may have", async () => {
    expect(await send(good)).toEqual([]);
    const names = good.map(([name]) => slug(name));
    await waitFor("the decisions", 180, async () => (await undecided(names)).length === 0);
    const all = await decisions();
    for (const name of names)
      expect(all.get(name)).toBe("Approved: the names of system:node:node-1 in the plan");
  });

  it("denies everything else that a node asks for, and says why", {
    timeout: 1_800_000,
  }, async () => {
    const refused = await send(bad.map(([name, asked]) => [name, asked]));
    const left = bad.filter(([name]) => !refused.includes(slug(name)));
    expect(left.length).toBeGreaterThan(20);
    const names = left.map(([name]) => slug(name));
    await waitFor("the decisions", 300, async () => (await undecided(names)).length === 0);
    const all = await decisions();
    for (const [name, , reason] of left) {
      expect(all.get(slug(name))).toMatch(/^Denied: /);
      expect(all.get(slug(name))).toMatch(reason);
    }
  });

  it("leaves who is not a node of the plan, and names him", async () => {
    const pem = request(kubelet("DNS:node-1"));
    await send([
      ["of a stranger", { request: pem, username: "system:node:node-9" }],
      ["of a person", { request: pem, username: "eve", groups: [] }],
      ["after them", good[0]?.[1] as Asked],
    ]);
    await waitFor("the last one", 180, async () => (await undecided(["after-them"])).length === 0);
    expect(await undecided(["of-a-stranger", "of-a-person"])).toHaveLength(2);
    await says(
      /left: request of-a-stranger is by system:node:node-9, who is not a node of the plan/,
    );
  });

  it("a request with a foreign address stays denied, also for an approver that begins again", async () => {
    await plane.stop("approver");
    startApprover(plane);
    await send([["after a restart", good[0]?.[1] as Asked]]);
    await waitFor("the new one", 180, async () => {
      return (await undecided(["after-a-restart"])).length === 0;
    });
    expect((await decisions()).get("a-foreign-address")).toMatch(/^Denied: .*10\.10\.0\.11$/);
  });

  it("is not ended by a request that looks like the end of the watch, nor by one that takes no answer", {
    timeout: 1_800_000,
  }, async () => {
    const [, { request: pem }] = good[0] as [string, Asked];
    const hostile = object("hostile", { request: pem });
    const annotations = { type: "ERROR" };
    const metadata = { ...hostile.metadata, annotations };
    expect(await create([{ ...hostile, metadata }])).toMatchObject({ exitCode: 0 });
    // As large as etcd takes: no room is left for a decision.
    let size = 1_572_200;
    const large = () => object("large", { request: `${"x".repeat(size)}\n${pem}` });
    while ((await create([large()])).exitCode !== 0) size -= 50;
    await send([["after hostile ones", good[0]?.[1] as Asked]]);
    await waitFor("the last one", 180, async () => {
      return (await undecided(["after-hostile-ones"])).length === 0;
    });
    await says(/not denied: request large: 500/);
  });

  it("may do nothing else with its credential", async () => {
    const credential = ["--client-certificate", "--client-key"].map(
      (flag, i) => `${flag}=${machine.path(`run/approver/client.${i === 0 ? "crt" : "key"}`)}`,
    );
    const can = async (...words: string[]) => {
      const { stdout } = await plane.attempt(
        ...["kubectl", "--kubeconfig=/dev/null", "--server=https://10.99.0.1:6443"],
        `--certificate-authority=${machine.path("etc/kubernetes/pki/ca.crt")}`,
        ...credential,
        ...["auth", "can-i", ...words],
      );
      return stdout;
    };
    expect(await can("watch", "csr")).toBe("yes");
    for (const words of [
      ["get", "secrets"],
      ["delete", "csr"],
      ["approve", "signers.certificates.k8s.io/kubernetes.io/kube-apiserver-client"],
      ["approve", "signers.certificates.k8s.io/kubernetes.io/kube-apiserver-client-kubelet"],
      ["sign", "signers.certificates.k8s.io/kubernetes.io/kubelet-serving"],
    ])
      expect(await can(...words)).toBe("no");
  });
});
