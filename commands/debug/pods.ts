import { randomBytes } from "node:crypto";
import { reasonOf } from "../../verify/cluster.ts";
import { pause } from "../../verify/time.ts";
import { UserError } from "../command.ts";

/** Runs kubectl; answers its output. @throws where it fails */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/** A container of ours that runs, and may be entered. */
export interface Entered {
  namespace: string;
  pod: string;
  container: string;
  /** Ends it. */
  leave(): Promise<unknown>;
}

/** How long a container lives that nobody leaves, in seconds; how long it may take to run. */
const seconds = { life: 4 * 60 * 60, start: 90 };

/** Ends at once on SIGTERM; a bare sleep as process 1 would not. */
const idle = ["sh", "-c", `trap exit TERM; sleep ${seconds.life} & wait`];

/** An ephemeral container beside those of a pod, as far as its namespace's Pod Security allows. */
export async function besidePod(
  kubectl: Kubectl,
  { namespace, pod, image }: { namespace: string; pod: string; image: string },
): Promise<Entered> {
  const enforced = await kubectl([
    ...["get", "namespace", namespace, "-o"],
    "jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}",
  ]);
  const container = `debug-${randomBytes(3).toString("hex")}`;
  const where = ["-n", namespace, pod];
  await kubectl([
    ...["debug", ...where, "--image", image, "--container", container],
    ...["--profile", profileOf(namespace, enforced.trim()), "--", ...idle],
  ]);
  await running(kubectl, { namespace, pod, container, image, field: "verify.debugImage" });
  return {
    ...{ namespace, pod, container },
    leave: () => kubectl(["exec", ...where, "-c", container, "--", "sh", "-c", "kill 1"]),
  };
}

/** kubectl's profile that a namespace admits; without a label the cluster's own level holds, baseline. */
export function profileOf(namespace: string, enforced: string): string {
  if (namespace === "kube-system" || enforced === "privileged") return "netadmin";
  return enforced === "restricted" ? "restricted" : "baseline";
}

export interface NodeTools {
  node: string;
  image: string;
  /** Where the configuration names the image. */
  field: string;
}

/**
 * A privileged pod in a node's own network and among its processes; the node's files are in /host,
 * its kernel's debugfs where the node has that.
 */
export async function onNode(
  kubectl: Kubectl,
  { node, image, field }: NodeTools,
): Promise<Entered> {
  const [namespace, container] = ["kube-system", "debug"];
  const pod = `debug-${node}-${randomBytes(3).toString("hex")}`;
  const where = ["-n", namespace, pod];
  await kubectl(["create", "-f", "-"], JSON.stringify(nodePod({ namespace, pod, node, image })));
  const leave = () => kubectl(["delete", "pod", ...where, "--wait=false"]);
  try {
    await running(kubectl, { namespace, pod, container, image, field });
  } catch (error) {
    await leave();
    throw error;
  }
  return { namespace, pod, container, leave };
}

function nodePod({
  namespace,
  pod,
  node,
  image,
}: Record<"namespace" | "pod" | "node" | "image", string>) {
  const debugfs = "/sys/kernel/debug";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod, namespace, labels: { "oslo-cluster.io/made-by": "debug" } },
    spec: {
      nodeName: node,
      hostNetwork: true,
      hostPID: true,
      restartPolicy: "Never",
      activeDeadlineSeconds: seconds.life,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: "debug",
          image,
          command: idle,
          securityContext: { privileged: true },
          volumeMounts: [
            { name: "host", mountPath: "/host" },
            { name: "debugfs", mountPath: debugfs },
          ],
        },
      ],
      volumes: [
        { name: "host", hostPath: { path: "/" } },
        { name: "debugfs", hostPath: { path: debugfs } },
      ],
    },
  };
}

interface ContainerStatus {
  name: string;
  state?: {
    running?: object;
    waiting?: { reason?: string; message?: string };
    terminated?: { reason?: string; message?: string };
  };
}

/** Waits until a container runs. @throws UserError where it cannot, with the reason and the fix */
async function running(
  kubectl: Kubectl,
  {
    namespace,
    pod,
    container,
    image,
    field,
  }: Record<"namespace" | "pod" | "container" | "image" | "field", string>,
): Promise<void> {
  const end = AbortSignal.timeout(seconds.start * 1000);
  let last = "no status";
  while (!end.aborted) {
    const { status } = JSON.parse(
      await kubectl(["-n", namespace, "get", "pod", pod, "-o", "json"]),
    ) as {
      status: Partial<
        Record<"containerStatuses" | "ephemeralContainerStatuses", ContainerStatus[]>
      >;
    };
    const all = [...(status.containerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])];
    const { state = {} } = all.find(({ name }) => name === container) ?? {};
    if (state.running) return;
    const { reason = "", message = "" } = state.terminated ?? state.waiting ?? {};
    last = [reason, message].filter(Boolean).join(": ") || last;
    if (/ImagePull|InvalidImageName|ErrImage/.test(reason)) {
      throw new UserError(
        `image ${image} cannot be pulled (${last}): set ${field} to one that the nodes' registries hold`,
      );
    }
    if (state.terminated || /Error$/.test(reason)) break;
    await pause(0.5, end).catch(() => {});
  }
  throw new UserError(
    `${namespace}/${pod}: the container of ${image} does not run (${last}): set ${field} to an image with a shell, or look at kubectl -n ${namespace} describe pod ${pod}`,
  );
}

/** Leaves, and says so where that fails: what was made lives for some hours then. */
export async function leave(entered: Entered): Promise<void> {
  await entered.leave().catch((error) => {
    console.error(
      `${entered.namespace}/${entered.pod}: ${entered.container} was not ended, and ends itself within ${seconds.life / 3600} h: ${reasonOf(error)}`,
    );
  });
}
