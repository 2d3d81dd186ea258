import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../lab/shell.ts";
import { installApprover, startApprover } from "./approver.ts";
import { startKubelet } from "./local-kubelet.ts";
import { LoopbackControlPlane } from "./loopback.ts";

// The kubelet's own end of what the API server reads of a node: a real kubelet with what the plan gives it, the cluster's
// signer, the approver and the API server; and a machine that poses as the node.

const plane = new LoopbackControlPlane();
const { machine } = plane;
const kubectl = ["kubectl", "--kubeconfig", machine.path("etc/kubernetes/admin.conf")];
let address = "";

beforeAll(async () => {
  await plane.start();
  installApprover(plane);
  startApprover(plane);
  // As kubeadm lets its API servers in.
  const binding = [
    "--clusterrole=system:kubelet-api-admin",
    "--user=kube-apiserver-kubelet-client",
  ];
  await plane.kubectl("create", "clusterrolebinding", "kubelet-api", ...binding);
  startSigner();
  [address = ""] = await startKubelet(plane, "node-1");
  await waitFor(
    "the kubelet's first certificate",
    180,
    async () => (await served()) !== undefined,
  ).catch(({ message }) => {
    throw new Error(`${message}: ${plane.said("nsenter").slice(-2000)}`);
  });
  await plane.kubectl("create", "serviceaccount", "default");
  machine.write("pod.json", JSON.stringify(pod));
  await plane.kubectl("create", "--filename", machine.path("pod.json"));
  await waitFor("the kubelet to know the pod", 180, async () => {
    const waiting = "jsonpath={.status.containerStatuses[0].state.waiting.reason}";
    return (await plane.kubectl("get", "pod", "web", "--output", waiting)).stdout !== "";
  });
});

afterAll(() => plane.remove());

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default" },
  spec: { nodeName: "node-1", containers: [{ name: "web", image: "registry.invalid/web" }] },
};

/** How long a certificate lasts. */
const signedMinutes = 2;

/** A kubelet asks for the next certificate when 70 to 90 % of the time are over, of which the signer puts 5 minutes before. */
function startSigner(): void {
  const pki = machine.path("etc/kubernetes/pki");
  plane.spawn("kube-controller-manager", [
    `--kubeconfig=${machine.path("etc/kubernetes/admin.conf")}`,
    ...["--controllers=certificatesigningrequest-signing-controller", "--leader-elect=false"],
    ...[`--cluster-signing-cert-file=${pki}/ca.crt`, `--cluster-signing-key-file=${pki}/ca.key`],
    ...[`--cluster-signing-duration=${signedMinutes}m`, "--bind-address=127.0.0.1"],
  ]);
}

/** The certificate that a connection to the node gets. */
async function served(): Promise<X509Certificate | undefined> {
  const connect = 'exec timeout 5 openssl s_client -connect "$0" </dev/null';
  const { stdout } = await plane.attempt("bash", "-c", connect, `${address}:10250`);
  const [pem] = stdout.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/) ?? [];
  return pem === undefined ? undefined : new X509Certificate(pem);
}

/** What is read of a node, and the kubelet's own answer. */
const ways: [what: string, words: string[], answer: RegExp][] = [
  ["metrics", ["get", "--raw", "/api/v1/nodes/node-1/proxy/metrics"], /^kubelet_node_name/m],
  ["logs", ["logs", "web"], /container "web" in pod "web" is waiting to start/],
  ["exec", ["exec", "web", "--", "true"], /container not found \("web"\)/],
];
const ask = (words: string[]) => plane.attempt("timeout", "60", ...kubectl, ...words);

describe("a kubelet", () => {
  it.each(ways)("is believed: %s", async (_, words, answer) => {
    expect((await ask(words)).all).toMatch(answer);
  });

  it("gets its next certificate before the first one ends, and is believed with it", async () => {
    const first = (await served()) as X509Certificate;
    let second = first;
    await waitFor("the next certificate", 200, async () => {
      second = (await served()) ?? first;
      return second.serialNumber !== first.serialNumber;
    });
    // By its own times: when this test sees it is the machine's affair.
    const made = Date.parse(second.validTo) - signedMinutes * 60_000;
    expect(made).toBeLessThan(Date.parse(first.validTo));
    expect(Date.parse(second.validTo)).toBeGreaterThan(Date.parse(first.validTo));
    expect(second.subjectAltName).toBe(
      `DNS:node-1, IP Address:${address}, IP Address:FD00:10:10:0:0:0:0:12`,
    );
    expect(second.subject).toBe("O=system:nodes\nCN=system:node:node-1");
    for (const [, words, answer] of ways) expect((await ask(words)).all).toMatch(answer);
    const { stdout } = await plane.kubectl("get", "csr", "--output=jsonpath={..conditions..type}");
    expect(stdout.split(" ").filter((type) => type === "Approved").length).toBeGreaterThan(1);
  });
});

describe("a machine that answers at a node's address", () => {
  beforeAll(() => plane.stop("kubelet"));

  describe("with a certificate of its own", () => {
    beforeAll(() => pose("own", ["-addext", `subjectAltName=IP:${address}`]));

    it.each(ways)("is not believed: %s", async (_, words) => {
      const { exitCode, stdout, stderr } = await ask(words);
      expect(exitCode).not.toBe(0);
      expect(stderr).toMatch(/x509: certificate signed by unknown authority/);
      expect(stdout).toBe("");
    });
  });

  it("with another node's certificate is not believed", async () => {
    await pose("other", signedFor("10.99.0.3"));
    for (const [, words] of ways)
      expect((await ask(words)).stderr).toMatch(
        new RegExp(`x509: certificate is valid for 10.99.0.3, not ${address}`),
      );
  });

  it("with a certificate for it from the cluster's CA is believed", async () => {
    await pose("signed", signedFor(address));
    expect(await ask(["get", "--raw", "/api/v1/nodes/node-1/proxy/metrics"])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("s_server"),
    });
  });

  it("would be believed by an API server without --kubelet-certificate-authority", async () => {
    await pose("own", ["-addext", `subjectAltName=IP:${address}`]);
    plane.apiServerArguments = ["--kubelet-certificate-authority="];
    await plane.stop("kube-apiserver");
    await plane.apiReady();
    const [, metrics] = ways[0] as (typeof ways)[number];
    expect((await ask(metrics)).stdout).toContain("s_server");
  });
});

/** By the cluster's CA. */
function signedFor(ip: string): string[] {
  const pki = machine.path("etc/kubernetes/pki");
  return ["-CA", `${pki}/ca.crt`, "-CAkey", `${pki}/ca.key`, "-addext", `subjectAltName=IP:${ip}`];
}

/** A TLS server in the kubelet's place, with a certificate that is made for it. */
async function pose(name: string, names: string[]): Promise<void> {
  await plane.stop("openssl");
  // The kubelet is a process of the one that was ended, and ends after it.
  await waitFor("nobody to listen there", 60, async () => {
    return (await plane.attempt("ss", "-Hltn", "sport = :10250")).stdout === "";
  });
  const [key, certificate] = [machine.path(`${name}.key`), machine.path(`${name}.crt`)];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
      ...["-subj", "/O=system:nodes/CN=system:node:node-1", "-days", "1"],
      ...["-keyout", key, "-out", certificate, ...names],
    ],
    { stdio: "ignore" },
  );
  const place = ["-accept", `${address}:10250`];
  plane.spawn("openssl", ["s_server", ...place, "-key", key, "-cert", certificate, "-www"]);
  await waitFor("the server", 60, async () => (await served()) !== undefined);
}
