import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { agnhostImage } from "../lab/artifacts/recipes.ts";
import { routersNeighbours } from "../lab/router.ts";
import { segment } from "../lab/segment.ts";
import { inNamespace, waitFor } from "../lab/shell.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { takesPods } from "./takes-pods.ts";

const minutes = 60_000;

/** Services with addresses on the VLAN, policies before them, routes at the router. */
export function describeServices(current: () => Lab): void {
  describe("services with addresses, and policies", { timeout: 20 * minutes }, () => {
    let lab: Lab;
    beforeAll(() => {
      lab = current();
    });

    test("the flows of all nodes are at the relay", async () => {
      const relay = ["rollout", "status", "deployment/hubble-relay", "--timeout=180s"];
      expect(await lab.kubectl("-n", "kube-system", ...relay)).toContain("successfully rolled out");
    });

    test("who asks the VLAN for a service's address is answered, where policies allow it", async () => {
      await lab.kubectl("create", "namespace", "open");
      await Promise.all(targets.map(([namespace, app]) => serve(lab, namespace, app)));
      const open = targets.slice(0, 2).map(([, app]) => app);
      const answers = await Promise.all(open.map((app) => answered(lab, app)));
      const holders = await waitFor("a node for each address", 120, () => holdersOf(lab)).catch(
        () => [],
      );
      // Its address is announced as the others' are.
      const closed = await request(lab, "closed", 10);
      for (const [namespace, app] of targets) {
        await lab.kubectl(
          "-n",
          namespace,
          "delete",
          `pod/${app}`,
          `service/${app}`,
          "--wait=false",
        );
      }
      await lab.kubectl("delete", "namespace", "open");
      expect(answers).toEqual([
        // The client's own address: one announcer, and the backend on its node.
        expect.stringContaining(segment.address),
        expect.stringContaining(segment.address),
      ]);
      expect(closed).toBe("nothing");
      expect(holders).toEqual(targets.map(() => "worker-1"));
    });

    test("the router has a session with every node", async () => {
      await waitFor("two sessions", 60, async () => {
        return (await routersNeighbours()).match(/ 64512 .* Establ /g)?.length === 2;
      });
    });
  });
}

interface Lease {
  metadata: { name: string };
  spec: { holderIdentity: string };
}

/** A pod that nobody restricts, one that its policy opens, one that the namespace's default closes. */
const targets: [namespace: string, app: string][] = [
  ["open", "free"],
  ["shop", "front"],
  ["shop", "closed"],
];
const addressOf: Record<string, string> = {
  free: "10.10.0.241",
  front: "10.10.0.242",
  closed: "10.10.0.243",
};

async function serve(lab: Lab, namespace: string, app: string): Promise<void> {
  await takesPods(lab, namespace);
  const metadata = { name: app, namespace, labels: { app } };
  const args = ["netexec", "--http-port=8080"];
  const container = { name: app, image: agnhostImage, args };
  await kubectl(lab, "apply", [
    {
      ...{ apiVersion: "v1", kind: "Pod", metadata },
      spec: { nodeName: "worker-1", containers: [container] },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...metadata, annotations: { "lbipam.cilium.io/ips": addressOf[app] } },
      spec: { type: "LoadBalancer", selector: { app }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ]);
  const wait = ["-n", namespace, "wait", "--timeout=300s"];
  await lab.kubectl(...wait, "--for=condition=Ready", `pod/${app}`);
  const address = "--for=jsonpath={.status.loadBalancer.ingress[0].ip}";
  await lab.kubectl(...wait, `${address}=${addressOf[app]}`, `service/${app}`);
}

/** Who announces the address of each, once all have somebody. */
async function holdersOf(lab: Lab): Promise<string[] | undefined> {
  const leases = await lab.kubectl("-n", "kube-system", "get", "leases", "-o", "json");
  const { items } = JSON.parse(leases) as { items: Lease[] };
  const holders = targets.flatMap(([namespace, app]) => {
    const lease = `cilium-l2announce-${namespace}-${app}`;
    return items.find(({ metadata }) => metadata.name === lease)?.spec.holderIdentity || [];
  });
  return holders.length === targets.length ? holders : undefined;
}

/** The first answer of one that answers in its time. */
function answered(lab: Lab, app: string): Promise<string> {
  return waitFor(`an answer of ${app}`, 120, async () => {
    const answer = await request(lab, app);
    return answer !== "nothing" && answer;
  }).catch(() => "nothing");
}

/** The answer that a machine on the VLAN gets, tried for so many seconds: the first ARP takes a lease. */
async function request({ facts }: Lab, app: string, seconds = 30): Promise<string> {
  const retry = ["--retry", "10", "--retry-all-errors", "--retry-delay", "1", "--max-time", "3"];
  const curl = [
    "curl",
    "-sS",
    "--retry-max-time",
    String(seconds),
    ...retry,
    `http://${addressOf[app]}/clientip`,
  ];
  const [file = "", ...args] = inNamespace(facts.netns, curl);
  const { exitCode, stdout } = await execa(file, args, { reject: false });
  return exitCode === 0 ? stdout : "nothing";
}

/** kubectl on the control plane, with objects on its standard input. */
async function kubectl(lab: Lab, command: string, objects: readonly object[]): Promise<string> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  const admin = "kubectl --kubeconfig /etc/kubernetes/admin.conf";
  return lab.onHost("cp-1", `${admin} ${command} -f - <<'END'\n${list}\nEND`);
}
