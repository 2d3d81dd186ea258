import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeRepository } from "./artifacts/apt.ts";
import { type Artifacts, makeArtifacts } from "./artifacts/artifacts.ts";
import { containerdSuite, packageVersions } from "./artifacts/packages.ts";
import { ciliumVersion, recipes } from "./artifacts/recipes.ts";
import { down } from "./down.ts";
import type { LabFacts } from "./facts.ts";
import { debianSuite } from "./hosts/distribution.ts";
import { describeHosts, describeHypervisors, type Host } from "./hosts/host.ts";
import {
  emptyDisk,
  rebootHost,
  rebuildHost,
  resetHost,
  startHost,
  startHosts,
  stopHost,
} from "./hosts/hosts.ts";
import { agentSocket, ensureAgent, hostPublicKey } from "./hosts/keys.ts";
import { hostTree, makeTree } from "./hosts/tree.ts";
import {
  describeVirtual,
  ensureHypervisorNetwork,
  hypervisorFiles,
  hypervisorMachines,
  makeHypervisorParts,
} from "./hypervisors.ts";
import { describeMachine } from "./machine.ts";
import { unpackDaemons } from "./mirrors/daemons.ts";
import {
  ensureNameServer,
  ensureRegistry,
  ensureStatic,
  ensureTimeServer,
  registryUrl,
  staticUrl,
} from "./mirrors/mirrors.ts";
import { pushImages, registryStorage } from "./mirrors/push.ts";
import { factsFile, runDirectory } from "./paths.ts";
import { Progress } from "./progress.ts";
import { ensureRouter } from "./router.ts";
import { ensureSegment, segment } from "./segment.ts";
import { Sysctls } from "./sysctl.ts";
import { ensureTools, imageTools } from "./tools.ts";

export type { LabFacts };
export { down, emptyDisk, rebootHost, rebuildHost, resetHost, startHost, stopHost };

/** What the lab is to have. */
export interface LabOptions {
  /**
   * Names of the hosts, in the order of their addresses from 10.10.0.11 on.
   *
   * @default ["cp-1", "worker-1"]
   */
  hosts?: readonly string[];
  /**
   * Names of hosts with libvirt and QEMU, in the order of their addresses from 10.10.0.41 on. With
   * them come the trunk between their uplinks and the guests' image.
   *
   * @default none
   */
  hypervisors?: readonly string[];
}

/**
 * Brings up the mirrors and the hosts. What is there already stays as it is, so a second call costs
 * next to nothing.
 */
export async function up(options: LabOptions = {}): Promise<LabFacts> {
  const names = options.hosts ?? ["cp-1", "worker-1"];
  const { hypervisors: hypervisorNames = [] } = options;
  const hasHypervisors = hypervisorNames.length > 0;
  const progress = new Progress();
  await progress.phase("tools", () => ensureTools(hasHypervisors ? imageTools : []));
  const [tree, parts, artifacts] = await Promise.all([
    makeTree(hostTree, progress),
    hasHypervisors ? makeHypervisorParts(progress) : undefined,
    makeArtifacts(progress),
  ]);
  const [distributionApt, daemons] = await Promise.all([
    makeRepository("debian", tree.packages, {
      kind: "suite",
      suite: debianSuite,
      component: "main",
    }),
    unpackDaemons(),
  ]);
  await mkdir(runDirectory, { recursive: true, mode: 0o755 });
  await new Sysctls().prepare();

  const hypervisors = await progress.phase("mirrors", async () => {
    await ensureSegment();
    const hypervisors = parts && (await ensureHypervisorNetwork(hypervisorNames, parts));
    await Promise.all([
      ensureStatic(daemons, {
        "apt/kubernetes": artifacts.kubernetesApt.directory,
        "apt/docker": artifacts.containerdApt.directory,
        "apt/debian": distributionApt.directory,
        charts: artifacts.charts.directory,
        ...(parts ? hypervisorFiles(parts) : {}),
      }),
      ensureRegistry(daemons, registryStorage(artifacts.images)),
      ensureTimeServer(daemons),
      ensureNameServer(artifacts.coredns, [
        ...describeHosts(names),
        ...describeHypervisors(hypervisorNames),
      ]),
      ensureRouter(),
    ]);
    await pushImages(artifacts.images);
    return hypervisors;
  });

  const hosts = describeHosts(names);
  await progress.phase("hosts", async () => {
    await ensureAgent();
    const distributionKey = join(distributionApt.directory, "gpg");
    const plainDirectories = ["containerd", "kubelet", "etcd"];
    const image = { tree: tree.root, distributionKey, plainDirectories };
    await startHosts([
      ...hosts.map((host) => ({ host, image })),
      ...(hypervisors ? hypervisorMachines(hypervisors, distributionKey) : []),
    ]);
  });

  const virtual = hypervisors && (await describeVirtual(hypervisors));
  const facts = { ...(await describe(artifacts, hosts, progress)), virtual };
  await writeFile(factsFile, `${JSON.stringify(facts, null, 2)}\n`);
  return facts;
}

async function describe(
  artifacts: Artifacts,
  hosts: readonly Host[],
  progress: Progress,
): Promise<Omit<LabFacts, "virtual">> {
  const { kubernetesApt, containerdApt, charts, commands } = artifacts;
  return {
    netns: segment.netns,
    hosts: await Promise.all(
      hosts.map(async ({ name, address, address6 }) => ({
        ...{ name, address, address6 },
        hostKey: await hostPublicKey(name),
      })),
    ),
    sshAuthSock: agentSocket,
    mirrors: {
      kubernetesApt: {
        url: `${staticUrl}/apt/kubernetes/`,
        keyFingerprint: kubernetesApt.keyFingerprint,
      },
      containerdApt: {
        url: `${staticUrl}/apt/docker`,
        keyFingerprint: containerdApt.keyFingerprint,
        ...containerdSuite,
      },
      registry: registryUrl,
      charts: `${staticUrl}/charts`,
      ntp: segment.address,
    },
    machine: describeMachine(),
    versions: {
      kubernetes: recipes.kubernetes.version,
      kubernetesPackage: packageVersions.kubernetes,
      containerdPackage: packageVersions.containerd,
      cilium: ciliumVersion,
    },
    ...commands,
    origin: artifacts.origin,
    chart: charts.cilium,
    timings: progress.timings,
  };
}

/** node test/lab/infrastructure.ts up [HOST…] | down | stop HOST | start HOST | reset HOST | reboot HOST */
async function command([verb = "", ...names]: readonly string[]): Promise<void> {
  const each = (action: (name: string) => Promise<void>) => Promise.all(names.map(action));
  switch (verb) {
    case "up":
      console.log(JSON.stringify(await up(options(names)), null, 2));
      break;
    case "down":
      await down();
      break;
    case "stop":
      await each(stopHost);
      break;
    case "start":
      await each(startHost);
      break;
    case "reset":
      await each(resetHost);
      break;
    case "reboot":
      await each(rebootHost);
      break;
    default:
      console.error(
        "usage: node test/lab/infrastructure.ts up|down|stop|start|reset|reboot [HOST…]",
      );
      process.exitCode = 2;
  }
}

/** Names that begin with hv- are hypervisors; without a name it is the ordinary lab. */
function options(names: readonly string[]): LabOptions {
  if (names.length === 0) return {};
  const isHypervisor = (name: string) => name.startsWith("hv-");
  return {
    hosts: names.filter((name) => !isHypervisor(name)),
    hypervisors: names.filter(isHypervisor),
  };
}

if (import.meta.main) await command(process.argv.slice(2));
