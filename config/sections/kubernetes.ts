import { z } from "zod";
import { duration, minutesOf } from "../duration.ts";
import { field } from "../field.ts";
import { exactVersion, packageVersion } from "../formats.ts";

/** Source: kubelet 1.36, pkg/kubelet/eviction/api and helpers.go. */
const evictionSignal = z
  .string()
  .regex(
    /^(memory\.available|(nodefs|imagefs|containerfs)\.(available|inodesFree)|pid\.available)$/,
    "not a signal of the kubelet's, which would not start; write one such as memory.available or nodefs.inodesFree",
  );

/** A share or a quantity. With anything else the kubelet does not start, on every node at once. */
const evictionThreshold = z
  .string("not text; write it in quotes")
  .regex(
    /^(\d+(\.\d+)?%|\d+(\.\d+)?([KMGTPE]i|[mkMGTPE]|[eE][+-]?\d{1,2})?)$/,
    "not a threshold, and the kubelet would not start; write a share such as 15% or an amount such as 100Mi",
  )
  .refine(
    (text) => !text.endsWith("%") || Number.parseFloat(text) <= 100,
    "above 100%, and the kubelet would not start; write a share such as 15%",
  );

export const kubernetes = z.strictObject({
  version: field(
    exactVersion.default("1.36.3"),
    "impossible",
    "Kubernetes version, exact. Upgrades of a living cluster are not built yet, and refused.",
  ),
  packageRevision: field(
    z
      .string()
      .regex(/^[A-Za-z0-9.+~]+$/, "not a Debian revision; write one such as 1.1")
      .default("1.1"),
    "impossible",
    "Debian revision of the kubeadm, kubelet and kubectl packages.",
  ),
  containerd: z
    .strictObject({
      packageVersion: field(
        packageVersion.default("2.4.1-1~debian.13~trixie"),
        "impossible",
        "Exact version of the package containerd.io; held. Not changed under a living node.",
      ),
    })
    .prefault({}),
  kubelet: z
    .strictObject({
      maxPods: field(
        z.int().min(10).max(1000).default(110),
        "restart",
        "Pods per node; each needs an address of the node's share of the pod subnet.",
      ),
      failCgroupV1: field(
        z.boolean().default(true),
        "restart",
        "Refuse to run on cgroup v1, as kubelet 1.36 does by default.",
      ),
      cgroupDriver: field(
        z
          .enum(["systemd", "cgroupfs"], { error: "not a driver; write systemd or cgroupfs" })
          .default("systemd"),
        "impossible",
        "Who makes the cgroups, for kubelet and containerd alike.",
      ),
      evictionHard: field(
        z.record(evictionSignal, evictionThreshold).default({
          "imagefs.available": "15%",
          "memory.available": "100Mi",
          "nodefs.available": "10%",
          "nodefs.inodesFree": "5%",
        }),
        "restart",
        "Eviction thresholds, in the kubelet's own terms. Default: the kubelet's.",
      ),
    })
    .prefault({}),
  etcd: z
    .strictObject({
      heartbeatMilliseconds: field(
        z.int().min(50).max(1000).default(100),
        "restart",
        "How often etcd's leader is heard, in milliseconds; raise both where control planes are slow or far apart. Default: etcd's.",
      ),
      electionMilliseconds: field(
        z.int().min(500).max(50000).default(1000),
        "restart",
        "How long a silent leader is waited for, in milliseconds: at least five times the heartbeat. Default: etcd's.",
      ),
    })
    .prefault({})
    .refine(({ heartbeatMilliseconds: beat, electionMilliseconds: wait }) => wait >= 5 * beat, {
      path: ["electionMilliseconds"],
      error: "less than five times kubernetes.etcd.heartbeatMilliseconds; etcd would not start",
    }),
  certificates: z
    .strictObject({
      validity: field(
        duration.default("8760h"),
        "restart",
        "How long certificates live that kubeadm and the cluster's CA make from then on; those that are there stay until they are renewed. At most half of the CA's ten years. Default: kubeadm's.",
      ),
      renewBefore: field(
        duration.default("1440h"),
        "live",
        "Certificates of control planes that end within this time are renewed by a timer, one component and one control plane at a time; below a quarter of it nobody is waited for.",
      ),
    })
    .prefault({})
    .refine(
      ({ validity }) => !(minutesOf(validity) < 60 || minutesOf(validity) > 60 * 24 * 365 * 5),
      {
        path: ["validity"],
        error:
          "below an hour or above five years; kubelets could not rotate, or it would outlive the CA",
      },
    )
    .refine(
      ({ validity, renewBefore }) =>
        !(minutesOf(renewBefore) < 10 || minutesOf(renewBefore) > minutesOf(validity) / 2),
      {
        path: ["renewBefore"],
        error:
          "below ten minutes or above half of kubernetes.certificates.validity; there would be no time to renew, or no rest between renewals",
      },
    ),
  drainTimeoutSeconds: field(
    z.int().min(1).max(3600).default(300),
    "none",
    "How long a worker's pods may take to leave it before it is taken out or re-created, in seconds; after that nothing is taken out.",
  ),
  automountDefaultServiceAccountToken: field(
    z.boolean().default(false),
    "live",
    "Let each namespace's default service account mount its token, as Kubernetes does; without it, only where its `automountServiceAccountToken` says so.",
  ),
});
