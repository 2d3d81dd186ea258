import type { LabFacts } from "./facts.ts";
import { type GuestImage, makeGuestImage } from "./guests/image.ts";
import { describeHypervisors } from "./hosts/host.ts";
import type { Machine } from "./hosts/hosts.ts";
import { hostPublicKey } from "./hosts/keys.ts";
import { type BaseTree, hypervisorTree, makeTree } from "./hosts/tree.ts";
import { staticUrl } from "./mirrors/mirrors.ts";
import type { Progress } from "./progress.ts";
import { ensureTrunk, trunk } from "./trunk.ts";

/** What a lab with hypervisors has besides: machines with libvirt, an image for guests, a trunk. */
export interface Hypervisors {
  names: readonly string[];
  tree: BaseTree;
  image: GuestImage;
  /** Whether the lab tags the VLAN's frames in the kernel's place. */
  tagsByLab: boolean;
}

/** Where the static mirror has the guests' images. */
const imagePath = "guests";

/** Makes the hypervisors' tree and the guests' image, or takes both from the cache. */
export async function makeHypervisorParts(
  progress: Progress,
): Promise<Pick<Hypervisors, "tree" | "image">> {
  const tree = await makeTree(hypervisorTree, progress);
  return { tree, image: await makeGuestImage(progress) };
}

/** Connects what was made to the lab's segment. */
export async function ensureHypervisorNetwork(
  names: readonly string[],
  parts: Pick<Hypervisors, "tree" | "image">,
): Promise<Hypervisors> {
  return { ...parts, names, tagsByLab: await ensureTrunk(parts.tree.root) };
}

/** The hypervisors as machines that can be booted. */
export function hypervisorMachines(
  { names, tree }: Hypervisors,
  distributionKey: string,
): Machine[] {
  const image = { tree: tree.root, distributionKey, plainDirectories: ["libvirt/images"] };
  return describeHypervisors(names).map((host) => ({ host, image }));
}

/** What the static mirror serves for hypervisors. */
export function hypervisorFiles({ image }: Pick<Hypervisors, "image">): Record<string, string> {
  return { [imagePath]: image.directory };
}

/** The part of the facts that hypervisors have. */
export async function describeVirtual({
  names,
  image,
  tagsByLab,
}: Hypervisors): Promise<NonNullable<LabFacts["virtual"]>> {
  return {
    hypervisors: await Promise.all(
      describeHypervisors(names).map(async ({ name, address }) => ({
        ...{ name, address, uplink: "eth1", storage: "/var/lib/libvirt/images" },
        hostKey: await hostPublicKey(name),
      })),
    ),
    image: { url: `${staticUrl}/${imagePath}/${image.file}`, sha512: image.sha512 },
    vlan: {
      id: trunk.vlan,
      tagsByLab,
      subnets: [`10.20.0.0/${trunk.prefixLength}`, `fd00:10:20::/${trunk.prefixLength6}`],
      gateways: [trunk.address, trunk.address6],
      mtu: trunk.mtu,
    },
  };
}
