import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { build } from "../lab/artifacts/build.ts";
import { findGo } from "../lab/artifacts/go.ts";
import { recipes } from "../lab/artifacts/recipes.ts";
import { Progress } from "../lab/progress.ts";
import { waitFor } from "../lab/shell.ts";
import { freePorts } from "./ports.ts";

/** An API server with nothing behind it but etcd: what it takes, it has validated. */
export interface ApiServer {
  /** kubectl as cluster-admin, with objects on its standard input. @throws with what it said */
  kubectl(args: string[], objects?: readonly object[]): Promise<string>;
  /** File with which another program is cluster-admin. */
  kubeconfig: string;
  /** Directory of Kubernetes' programs. */
  programs: string;
  stop(): Promise<void>;
}

/**
 * Starts the lab's own kube-apiserver and etcd on the loopback interface.
 * @param controllers Names of those that run beside it, in the lab's own kube-controller-manager. @default none
 */
export async function startApiServer(controllers: readonly string[] = []): Promise<ApiServer> {
  const go = await findGo();
  const progress = new Progress();
  const kubernetes = (await build(go, recipes.kubernetes, progress)).directory;
  const etcd = (await build(go, recipes.etcd, progress)).directory;
  const folder = mkdtempSync(join(tmpdir(), "api-server-"));
  const [client, peer, secure, health] = await freePorts(4);
  const token = randomBytes(16).toString("hex");
  await writeCredentials(folder, token);
  const url = (port: number | undefined) => `http://127.0.0.1:${port}`;
  const store = start(join(etcd, "etcd"), [
    ...["--data-dir", join(folder, "etcd"), "--unsafe-no-fsync", "--log-level", "error"],
    ...["--listen-client-urls", url(client), "--advertise-client-urls", url(client)],
    ...["--listen-peer-urls", url(peer), "--initial-advertise-peer-urls", url(peer)],
    ...["--initial-cluster", `default=${url(peer)}`],
  ]);
  const server = start(join(kubernetes, "kube-apiserver"), [
    ...["--etcd-servers", url(client), "--bind-address", "127.0.0.1"],
    ...["--secure-port", `${secure}`, "--cert-dir", join(folder, "certificates")],
    ...["--token-auth-file", join(folder, "tokens.csv"), "--authorization-mode", "RBAC"],
    ...["--service-account-issuer", "https://kubernetes.default.svc"],
    ...["--service-account-key-file", join(folder, "key.pem")],
    ...["--service-account-signing-key-file", join(folder, "key.pem")],
    ...["--advertise-address", "127.0.0.1", "--endpoint-reconciler-type", "none"],
    "--allow-privileged",
    ...["--service-cluster-ip-range", "10.96.0.0/16,fd00:10:96::/112"],
  ]);
  const access = ["--server", `https://127.0.0.1:${secure}`, "--insecure-skip-tls-verify"];
  const credentials = [...access, "--token", token, "--cache-dir", join(folder, "cache")];
  const kubectl: ApiServer["kubectl"] = async (args, objects) => {
    const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects ?? [] });
    const from = objects ? ["--filename", "-"] : [];
    return (await execa(join(kubernetes, "kubectl"), [...credentials, ...args, ...from], { input }))
      .stdout;
  };
  const kubeconfig = join(folder, "kubeconfig.json");
  writeFileSync(kubeconfig, kubeconfigOf(`https://127.0.0.1:${secure}`, token), { mode: 0o600 });
  let manager: ReturnType<typeof start> | undefined;
  const stop = async () => {
    for (const process of [manager, server, store]) {
      if (process === undefined) continue;
      process.kill();
      await process;
    }
    rmSync(folder, { recursive: true });
  };
  try {
    const get = (...words: string[]) => kubectl(["get", ...words]).catch(() => "");
    await waitFor("the API server to be ready", 120, async () => {
      if (server.exitCode !== null) throw new Error("the API server ended");
      return (await get("--raw", "/readyz")) === "ok";
    });
    // It makes them in its own time.
    await waitFor("its namespaces", 120, () => get("namespace", "default", "kube-system"));
  } catch (error) {
    await stop();
    throw error;
  }
  if (controllers.length > 0) {
    manager = start(join(kubernetes, "kube-controller-manager"), [
      ...["--kubeconfig", kubeconfig, "--controllers", controllers.join(), "--leader-elect=false"],
      ...["--bind-address", "127.0.0.1", "--secure-port", `${health}`],
      ...["--cert-dir", join(folder, "certificates")],
    ]);
  }
  return { kubectl, kubeconfig, programs: kubernetes, stop };
}

function start(file: string, args: string[]) {
  return execa(file, args, { reject: false, stdio: "ignore", cleanup: true });
}

async function writeCredentials(folder: string, token: string): Promise<void> {
  mkdirSync(join(folder, "certificates"));
  writeFileSync(join(folder, "tokens.csv"), `${token},admin,admin,system:masters\n`, {
    mode: 0o600,
  });
  await execa("openssl", ["genrsa", "-out", join(folder, "key.pem"), "2048"]);
}

function kubeconfigOf(server: string, token: string): string {
  const name = "admin";
  return JSON.stringify({
    ...{ apiVersion: "v1", kind: "Config", "current-context": name },
    clusters: [{ name, cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}
