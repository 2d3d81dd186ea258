import { toldAddress } from "../address.ts";
import type { Cluster } from "../cluster.ts";
import { services } from "../probe/exchange.ts";
import { namespace } from "../probe/namespace.ts";
import { ports } from "../probe/pods.ts";
import { fail, notEnabled, notProved, type Proof, pass, type Verdict } from "../proof.ts";
import { pause } from "../time.ts";

const requests = 1000;
/** Percent that the canary is given: the articles' two splits. */
const splits = [10, 5];
/** Standard deviations on either side; an honest split leaves them once in 16 000 runs. */
const deviations = 4;

/** Between which counts a split of so many requests must lie, so many standard deviations on either side. */
export function binomialBounds(
  count: number,
  share: number,
  within = deviations,
): { low: number; high: number } {
  const spread = within * Math.sqrt(count * share * (1 - share));
  return {
    low: Math.max(0, Math.ceil(count * share - spread)),
    high: Math.min(count, Math.floor(count * share + spread)),
  };
}

export const canaryProof: Proof = {
  promise: "The gateway serves, and splits requests by weight",
  proof: `two routes of its own on the stack's gateway, 90/10 and 95/5 between two backends, ${requests} requests each; the canary's share must lie within ${deviations} standard deviations of the binomial distribution`,
  fix: "`kubectl describe` the gateway and the route named above; their conditions name what is missing",
  limitSeconds: 110,
  async prove(cluster) {
    const { enabled } = cluster.config.gatewayApi;
    if (!enabled) return notEnabled("gatewayApi.enabled is false");
    const entry = entryOf(cluster);
    if (entry === undefined) {
      return notProved("the stack makes no gateway that takes HTTP and routes of all namespaces");
    }
    if (cluster.nodes.length < 2) return notProved("the cluster has one node, and so one backend");
    const envoy = await cluster.kubectl(
      ...["-n", "kube-system", "get", "pods", "-l", "k8s-app=cilium-envoy", "-o", "name"],
    );
    const { envoy: values } = cluster.plan.cilium.values as { envoy?: { enabled?: boolean } };
    if (envoy.trim() === "" || values?.enabled === false) {
      return notProved("no Envoy runs: cilium.values turn it off, or its image is missing");
    }
    await services(cluster);
    const [stable = "", canary = ""] = cluster.nodes;
    await cluster.apply(splits.map((percent) => route(entry, percent, stable, canary)));
    const verdicts: Verdict[] = [];
    for (const percent of splits) {
      verdicts.push(await measure(cluster, entry, percent, { stable, canary }));
    }
    const broken = verdicts.filter(({ verdict }) => verdict === "fail");
    const reading = (broken.length > 0 ? broken : verdicts)
      .map(({ reading }) => reading)
      .join("; ");
    return broken.length > 0 ? fail(reading) : pass(reading);
  },
};

/** Where requests come in. */
interface Entry {
  gateway: { name: string; namespace: string };
  listener: { name: string; port: number; hostname?: string };
}

/** The first listener of the stack that takes HTTP, and routes of the proof's own namespace. */
function entryOf({ plan }: Cluster): Entry | undefined {
  for (const { kind, metadata, spec } of plan.gatewayApi.objects as unknown as Gateway[]) {
    if (kind !== "Gateway") continue;
    const listener = spec.listeners.find(
      ({ protocol, allowedRoutes }) =>
        protocol === "HTTP" && allowedRoutes?.namespaces?.from === "All",
    );
    const { name, namespace = "default" } = metadata;
    if (listener !== undefined) return { gateway: { name, namespace }, listener };
  }
  return undefined;
}

interface Gateway {
  kind: string;
  metadata: { name: string; namespace?: string };
  spec: {
    listeners: (Entry["listener"] & {
      protocol: string;
      allowedRoutes?: { namespaces?: { from?: string } };
    })[];
  };
}

const pathOf = (percent: number) => `/oslo-cluster-verify-${percent}`;

function route({ gateway, listener }: Entry, percent: number, stable: string, canary: string) {
  const backend = (node: string, weight: number) => ({
    name: `probe-${node}`,
    port: ports.http,
    weight,
  });
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: `canary-${percent}`, namespace },
    spec: {
      parentRefs: [{ ...gateway, sectionName: listener.name }],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: pathOf(percent) } }],
          backendRefs: [backend(stable, 100 - percent), backend(canary, percent)],
        },
      ],
    },
  };
}

/** Asks from the first node the gateway's first address. */
async function measure(
  cluster: Cluster,
  { gateway, listener }: Entry,
  percent: number,
  { stable, canary }: { stable: string; canary: string },
): Promise<Verdict> {
  const address = (
    await cluster.kubectl(
      ...["-n", gateway.namespace, "get", "gateway", gateway.name, "-o"],
      "jsonpath={.status.addresses[0].value}",
    )
  ).trim();
  if (address === "") return fail("the gateway has no address");
  toldAddress(address, "the gateway's address");
  const host = address.includes(":") ? `[${address}]` : address;
  const url = `http://${host}:${listener.port}${pathOf(percent)}`;
  // A listener's `*.example.no` takes any name below it.
  const name = listener.hostname?.replace("*", "verify");
  const header = name === undefined ? "" : `-H 'Host: ${name}' `;
  const ask = (count: number) =>
    cluster.onNode(
      cluster.nodes[0] as string,
      `curl -s --max-time 60 ${header}'${url}?[1-${count}]' || true`,
    );
  while (![stable, canary].includes(await ask(1))) {
    await pause(0.5, cluster.signal); // until the route has reached Envoy
  }
  const answers = (await ask(requests)).split("\n");
  const of = (node: string) => answers.filter((line) => line === node).length;
  const { low, high } = binomialBounds(requests, percent / 100);
  const reading = `${100 - percent}/${percent}: ${of(stable)} and ${of(canary)} of ${requests}, the canary's bounds ${low} to ${high}`;
  if (of(stable) + of(canary) < requests) return fail(`${reading}: the rest was not answered`);
  return of(canary) >= low && of(canary) <= high ? pass(reading) : fail(reading);
}
