import { z } from "zod";
import { field } from "../field.ts";
import { fingerprint, hostname, url } from "../formats.ts";

/** A suite or component of an apt repository. */
const aptWord = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, "not a suite or component; write a word such as trixie");

/** Where everything that reaches a node comes from: upstream by default, or mirrors. */
export const artifacts = z.strictObject({
  kubernetes: z
    .strictObject({
      url: field(
        url.optional(),
        "live",
        "Flat apt repository of kubeadm, kubelet and kubectl. Default: https://pkgs.k8s.io/core:/stable:/v<minor>/deb.",
      ),
      keyFingerprint: field(
        fingerprint.default("DE15B14486CD377B9E876E1A234654DA9A296436"),
        "live",
        "OpenPGP fingerprint of that repository's Release.key.",
      ),
    })
    .prefault({}),
  containerd: z
    .strictObject({
      url: field(
        url.default("https://download.docker.com/linux/debian"),
        "live",
        "apt repository of the package containerd.io (containerd 2 and runc), its key at <url>/gpg.",
      ),
      suite: field(
        aptWord.default("trixie"),
        "live",
        "The nodes' distribution release in that repository.",
      ),
      component: field(aptWord.default("stable"), "live", "Component of that repository."),
      keyFingerprint: field(
        fingerprint.default("9DC858229FC7DD38854AE2D88D81803C0EBFCD88"),
        "live",
        "OpenPGP fingerprint of that repository's key.",
      ),
    })
    .prefault({}),
  registries: field(
    z
      .record(
        z
          .string()
          .regex(
            /^(_default|[a-z0-9.-]+(:\d+)?)$/,
            "not a registry; write its host name, or _default for all others",
          ),
        url,
      )
      .default({}),
    "live",
    "Mirror per image registry, such as `registry.k8s.io: https://mirror.example.no/registry.k8s.io`; `_default` is for all that have none. containerd asks the mirror alone, with no fallback. Default: upstream.",
  ),
  charts: field(
    url.default("https://helm.cilium.io"),
    "live",
    "Helm repository of the cilium chart.",
  ),
  plainHttpHosts: field(
    z.array(hostname).default([]),
    "none",
    "Hosts of private mirrors, such as `mirror.lan` or `10.10.0.5`, that the addresses above may ask by http. Whoever is on the way to them can serve other images and charts; packages are signed all the same. Default: none.",
  ),
});
