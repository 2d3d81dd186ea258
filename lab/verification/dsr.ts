import { execa } from "execa";
import { hostNamespace } from "../segment.ts";
import { inNamespace } from "../shell.ts";
import { capture } from "./capture.ts";
import type { Lab, Proof } from "./proof.ts";

const port = 30_080;

/**
 * A request from outside the cluster to one node, whose only backend runs on the other. Under DSR the
 * answer leaves the backend's node with the first node's address, and nothing of it passes the first.
 */
export const dsrProof: Proof = {
  promise:
    "a NodePort is answered by DSR: the backend's node answers with the address that was asked",
  async prove(lab) {
    const image = lab.facts.imagesAvailable.find((name) => name.includes("/netprobe:"));
    if (image === undefined) {
      return {
        result: "not verified",
        reading: "image quay.io/oslo-cluster/netprobe not available",
      };
    }
    const [ingress, backend] = [hostOf(lab, "cp-1"), hostOf(lab, "worker-1")];
    await deploy(lab, image, backend.name);
    try {
      const url = `http://${ingress.address}:${port}/`;
      const [atIngress, atBackend] = await Promise.all(
        [ingress, backend].map(({ name }) =>
          capture(hostNamespace(name), "eth0", `tcp port ${port} or (ip[0] & 0xf > 5)`),
        ),
      );
      const [command = "", ...args] = inNamespace(lab.facts.netns, [
        "curl",
        "-sS",
        "--max-time",
        "20",
        url,
      ]);
      const { stdout: answer } = await execa(command, args);
      const [ingressPackets, backendPackets] = await Promise.all([
        atIngress?.stop(),
        atBackend?.stop(),
      ]);
      const from = ` ${ingress.address}.${port} > `;
      const outOfBackend = count(backendPackets, "Out", from);
      const outOfIngress = count(ingressPackets, "Out", from);
      // Option 154 (0x9a) carries the address that was asked; tcpdump prints it as unknown.
      const option = (backendPackets ?? []).filter((line) =>
        /options \(unknown 154/.test(line),
      ).length;
      const reading = `answer: ${answer.trim().slice(0, 60)}…; packets as ${ingress.address}:${port}: ${outOfBackend} left ${backend.name}, ${outOfIngress} left ${ingress.name}; IP option 0x9a on ${option}`;
      const holds =
        outOfBackend > 0 && outOfIngress === 0 && option > 0 && /\b10\.10\.0\.1\b/.test(answer);
      return { result: holds ? "passed" : "failed", reading };
    } finally {
      await lab.kubectl(
        "-n",
        "default",
        "delete",
        "pod/netprobe",
        "service/netprobe",
        "--now",
        "--ignore-not-found",
      );
    }
  },
};

function hostOf({ facts }: Lab, name: string) {
  const host = facts.hosts.find((candidate) => candidate.name === name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return host;
}

function count(lines: string[] | undefined, direction: "In" | "Out", text: string): number {
  return (lines ?? []).filter((line) => line.includes(` ${direction} `) && line.includes(text))
    .length;
}

async function deploy({ kubectl }: Lab, image: string, node: string): Promise<void> {
  const overrides = { spec: { nodeName: node } };
  await kubectl(
    ...["-n", "default", "run", "netprobe", `--image=${image}`, "--image-pull-policy=IfNotPresent"],
    ...["--port=8080", `--overrides=${JSON.stringify(overrides)}`],
  );
  await kubectl(
    ...["-n", "default", "create", "service", "nodeport", "netprobe"],
    ...["--tcp=8080:8080", `--node-port=${port}`],
  );
  // `create service` selects app=<name>; `run` labels run=<name>.
  await kubectl("-n", "default", "label", "pod", "netprobe", "app=netprobe");
  await kubectl("-n", "default", "wait", "--for=condition=Ready", "--timeout=120s", "pod/netprobe");
}
