import { readFileSync } from "node:fs";
import { join } from "node:path";
import { agnhostImage } from "../../lab/artifacts/recipes.ts";
import { hostNamed } from "../../lab/facts.ts";
import { killAll, logFile, objectsOf, runningProcess, startProcess } from "../../lab/processes.ts";
import { inNamespace, waitFor } from "../../lab/shell.ts";
import type { Lab } from "../../lab/verification/proof.ts";
import { takesPods } from "../takes-pods.ts";
import type { Exchange } from "./client.ts";

const name = "established";

/** Where a connection passes: a machine on the VLAN asks a node port of one node, and a pod of another one answers. */
export interface Path {
  ingress: string;
  backend: string;
}

/** Opens the connection, and waits for its first answer. @returns when that was, in seconds since 1970 */
export async function establish(lab: Lab, { ingress, backend }: Path): Promise<number> {
  const metadata = { name, namespace: name, labels: { app: name } };
  const container = { name, image: agnhostImage, args: ["netexec", "--http-port=8080"] };
  const items = [
    {
      ...{ apiVersion: "v1", kind: "Pod", metadata },
      spec: { nodeName: backend, containers: [container] },
    },
    {
      ...{ apiVersion: "v1", kind: "Service", metadata },
      spec: { type: "NodePort", selector: metadata.labels, ports: [{ port: 8080 }] },
    },
  ];
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const apply = "kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f -";
  await lab.kubectl("create", "namespace", name);
  await takesPods(lab, name);
  await lab.onHost("cp-1", `${apply} <<'END'\n${list}\nEND`);
  await lab.kubectl("-n", name, "wait", "--for=condition=Ready", "--timeout=180s", `pod/${name}`);
  const port = await lab.kubectl(
    ...["-n", name, "get", "service", name, "-o", "jsonpath={.spec.ports[0].nodePort}"],
  );
  const url = `http://${hostNamed(lab.facts, ingress).address}:${port}/hostname`;
  const from = Date.now() / 1000;
  const command = [process.execPath, join(import.meta.dirname, "client.ts"), url];
  await startProcess(name, inNamespace(lab.facts.netns, command));
  await waitFor(`an answer from ${url}`, 60, () =>
    exchangesSince(from).some(({ error }) => error === undefined),
  );
  return Date.now() / 1000;
}

/** Ends the client, and removes what it asked. */
export async function endEstablished({ kubectl }: Lab): Promise<void> {
  const pid = runningProcess(name);
  if (pid !== undefined) await killAll("the client", [pid]);
  await kubectl("delete", "namespace", name, "--wait=false");
}

/** What the client has printed since a moment. */
export function exchangesSince(from: number): Exchange[] {
  return objectsOf<Exchange>(readFileSync(logFile(name), "utf8")).filter(({ at }) => at >= from);
}

/** What became of the connection: how many there were, questions without an answer, the slowest answer. */
export function summary(all: readonly Exchange[]) {
  return {
    connections: new Set(all.map(({ connection }) => connection)).size,
    unanswered: all.flatMap(({ error }) => error ?? []),
    answers: all.filter(({ error }) => error === undefined).length,
    slowestSeconds: Math.max(0, ...all.map(({ seconds }) => seconds)),
  };
}
