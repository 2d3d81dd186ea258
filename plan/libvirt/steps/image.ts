import { effect } from "../../effect.ts";
import { imageFile, sharedDirectory } from "../names.ts";
import { onHypervisor } from "../step.ts";

/** The image of its guests, fetched and verified. */
export const image = onHypervisor({
  name: "image",
  note: "A change is for new guests alone.",
  document: ({ config: { cluster, libvirt }, hypervisor }) => ({
    vars: {
      CLUSTER: cluster.name,
      DIRECTORY: sharedDirectory(cluster.name, hypervisor),
      IMAGE: imageFile(cluster.name, hypervisor, libvirt.image),
      IMAGE_URL: libvirt.image.url,
      SHA512: libvirt.image.sha512,
    },
  }),
  effects: {
    default: effect(
      "none",
      "for guests that are made from now on; those that exist keep their disks",
    ),
  },
});
