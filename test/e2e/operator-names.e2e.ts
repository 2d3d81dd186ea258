import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { auditPolicy } from "../../plan/api-server/audit-policy.ts";
import { renderYaml } from "../../plan/yaml.ts";
import { waitFor } from "../lab/shell.ts";
import { LoopbackControlPlane } from "./loopback.ts";

// A real sshd, whose keys ask for certificates, and the audit log of a real API server.
const plane = new LoopbackControlPlane();
const { machine } = plane;

beforeAll(async () => {
  plane.apiServerArguments = [
    `--audit-policy-file=${machine.path("audit-policy.yaml")}`,
    `--audit-log-path=${machine.path("audit.log")}`,
  ];
  machine.write("audit-policy.yaml", renderYaml(auditPolicy));
  machine.install("credential.sh");
  await plane.start();
  const binding = ["--clusterrole=cluster-admin", "--group=kubeadm:cluster-admins"];
  await plane.kubectl("create", "clusterrolebinding", "kubeadm:cluster-admins", ...binding);
  startSshd();
}, 600_000);

afterAll(() => plane.remove());

function startSshd(): void {
  mkdirSync("/run/sshd", { recursive: true });
  mkdirSync(machine.path("ssh"), { recursive: true });
  for (const [name, comment] of [
    ["host", "host"],
    ["kari", "kari@example.no"],
    ["ola", ""],
  ] as const) {
    const words = [
      "-q",
      "-t",
      "ed25519",
      "-N",
      "",
      "-C",
      comment,
      "-f",
      machine.path(`ssh/${name}`),
    ];
    execFileSync("ssh-keygen", words);
  }
  const keys = ["kari", "ola"].map((name) => machine.read(`ssh/${name}.pub`)).join("");
  // The account's home, to the script.
  machine.write("home/.ssh/authorized_keys", keys);
  machine.addProgram("getent", `echo "root:x:0:0::$MACHINE/home:/bin/bash"`);
  const { PATH, MACHINE } = plane.environment();
  // As sudo calls it: nothing of sshd's is left in the environment.
  machine.write(
    "as-root",
    `#!/bin/bash\nenv -i PATH=${PATH} MACHINE=${MACHINE} bash ${machine.path("lib/credential.sh")}; exit $?\n`,
  );
  plane.startSshd(
    { hostKey: "ssh/host", authorizedKeys: "home/.ssh/authorized_keys" },
    machine.path("as-root"),
    "ExposeAuthInfo yes",
  );
}

/** Asks for a certificate by SSH, and uses it. */
async function read(key: string): Promise<void> {
  const options = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "IdentitiesOnly=yes",
  ];
  const words = ["-F", "none", ...options.flatMap((one) => ["-o", one]), "-p", "2222"];
  const connect = ["ssh", ...words, "-i", machine.path(`ssh/${key}`), "root@127.0.0.1"];
  let answer = "";
  await waitFor(`a certificate of ${key}`, 60, async () => {
    const { exitCode, stdout } = await plane.attempt(...connect);
    answer = stdout;
    return exitCode === 0;
  });
  const { status } = JSON.parse(answer) as {
    status: { clientCertificateData: string; clientKeyData: string };
  };
  machine.write(`${key}.crt`, status.clientCertificateData);
  machine.write(`${key}.key`, status.clientKeyData);
  const certificate = ["--cert", machine.path(`${key}.crt`), "--key", machine.path(`${key}.key`)];
  const ca = ["--cacert", machine.path("etc/kubernetes/pki/ca.crt")];
  const url = `https://10.99.0.1:6443/api/v1/namespaces/default/secrets/of-${key}`;
  await plane.run("curl", "--silent", ...ca, ...certificate, url);
}

/** Who read the Secret, by the audit log. */
async function readerOf(secret: string): Promise<string> {
  let name = "";
  await waitFor(`the audit log has ${secret}`, 60, async () => {
    // The last line may be on its way.
    for (const line of machine.read("audit.log").split("\n").slice(0, -1)) {
      const { objectRef, user } = JSON.parse(line);
      if (objectRef?.name === secret) name = user.username;
    }
    return name !== "";
  });
  return name;
}

it("two keys are two names, also through sudo: a comment, and where there is none the fingerprint", async () => {
  await read("kari");
  await read("ola");
  expect(await readerOf("of-kari")).toBe("oslo-cluster:kari@example.no");
  const fingerprint = execFileSync("ssh-keygen", ["-l", "-f", machine.path("ssh/ola.pub")]);
  expect(await readerOf("of-ola")).toBe(`oslo-cluster:${`${fingerprint}`.split(" ")[1]}`);
});
