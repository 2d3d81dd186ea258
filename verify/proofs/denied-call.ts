import { agentFunction, type Cluster } from "../cluster.ts";
import { namespace } from "../probe/namespace.ts";
import { inPod, type Probe, peerOf, ports, probeOn, probes } from "../probe/pods.ts";
import { expectNothing, fail, notProved, type Proof } from "../proof.ts";
import { askUntil, pause } from "../time.ts";

/** Lets everybody in on the probes' ports but one; other proofs ping them meanwhile. */
const policy = {
  apiVersion: "cilium.io/v2",
  kind: "CiliumNetworkPolicy",
  metadata: { name: "all-but-one", namespace },
  spec: {
    endpointSelector: {},
    ingress: [
      {
        fromEntities: ["all"],
        toPorts: [
          {
            ports: [
              { port: String(ports.tcp), protocol: "TCP" },
              { port: String(ports.udp), protocol: "UDP" },
              { port: String(ports.http), protocol: "TCP" },
            ],
          },
        ],
      },
      {
        fromEntities: ["all"],
        icmps: [
          {
            fields: [
              { family: "IPv4", type: "EchoRequest" },
              { family: "IPv6", type: "EchoRequest" },
            ],
          },
        ],
      },
    ],
  },
};

/** A busy machine may take that long to answer a call, or to show a flow, in seconds. */
const patienceSeconds = 10;

/** Prints `answered` or `silent`. */
const call = (address: string, port: number) =>
  `if inpod timeout 2 bash -c 'exec 3<>/dev/tcp/${address}/${port} && read -r line <&3' 2>/dev/null; then echo answered; else echo silent; fi`;

export const deniedCallProof: Proof = {
  promise: "A call that a policy denies does not get through, and Hubble shows it",
  proof:
    "a CiliumNetworkPolicy on pods of our own: from a pod on each node to one on the next, an allowed port answers and a denied one does not; the drop is in hubble observe --verdict DROPPED on the receiving node",
  fix: "`oslo-cluster debug STACK drops` shows what is dropped; compare with policies.networkPolicies",
  limitSeconds: 110,
  async prove(cluster) {
    if (cluster.nodes.length < 2) return notProved("the cluster has one node");
    const all = await probes(cluster);
    await cluster.apply([policy]);
    const results = await Promise.all(
      cluster.nodes.map((node) => denied(cluster, all, node, peerOf(cluster.nodes, node))),
    );
    const withoutHubble = results.flatMap(({ hubble }) => hubble ?? []);
    const faults = results.flatMap(({ faults }) => faults);
    if (faults.length === 0 && withoutHubble.length > 0) {
      const reading = `denied, but Hubble could not be asked: ${withoutHubble.join("; ")}`;
      // Flows that were asked for and that nobody records are a broken promise.
      return cluster.config.cilium.hubble.enabled ? fail(reading) : notProved(reading);
    }
    return expectNothing(
      faults,
      `${results.length} calls denied, each as a dropped flow: ${results[0]?.flow}`,
    );
  },
};

async function denied(
  cluster: Cluster,
  all: readonly Probe[],
  from: string,
  to: string,
): Promise<{ faults: string[]; hubble?: string; flow?: string }> {
  const source = probeOn(all, from);
  const target = probeOn(all, to);
  const address = target.addresses[0] as string;
  const ask = (port: number) => cluster.onNode(from, `${inPod}${call(address, port)}`);
  // The policy reaches the agents in its own time.
  while ((await ask(ports.denied)) === "answered") {
    await pause(0.5, cluster.signal);
  }
  const faults: string[] = [];
  const isAnswered = (answer: string) => answer === "answered";
  if (
    !isAnswered(await askUntil(isAnswered, patienceSeconds, cluster.signal, () => ask(ports.tcp)))
  ) {
    faults.push(`${from} → ${to}: the allowed port is silent too, so that nothing was denied`);
  }
  // Its own node reaches every pod whatever the policy: what is denied is there.
  const local = await cluster.onNode(
    to,
    `timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/${ports.denied} && read -r line <&3' && echo answered || echo silent`,
  );
  if (local !== "answered") faults.push(`${to}: nothing listens on the denied port`);
  const observe = async () => {
    const flows = await cluster.onNode(
      to,
      `${agentFunction}agent hubble observe --server unix:///var/run/cilium/hubble.sock --verdict DROPPED --to-namespace ${namespace} --port ${ports.denied} --last 100 -o json`,
    );
    return flows
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => (JSON.parse(line) as { flow: Flow }).flow)
      .find(({ IP }) => IP && source.addresses.includes(IP.source) && IP.destination === address);
  };
  // What was silent for another reason is called again: its flow is not a dropped one.
  const flow = await askUntil(
    (found) => found !== undefined,
    patienceSeconds,
    cluster.signal,
    () => observe().then((found) => found ?? ask(ports.denied).then(observe)),
  ).catch((error: Error) => error);
  if (flow instanceof Error) return { faults, hubble: `${to}: ${flow.message}` };
  if (flow === undefined) {
    return { faults: [...faults, `${from} → ${to}: Hubble shows no dropped flow`] };
  }
  return {
    faults,
    flow: `${flow.IP.source} → ${address}:${ports.denied} ${flow.drop_reason_desc}`,
  };
}

interface Flow {
  IP: { source: string; destination: string };
  drop_reason_desc?: string;
}
