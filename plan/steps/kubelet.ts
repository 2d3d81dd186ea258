import { byPath, effect } from "../effect.ts";
import { defineStep } from "../step.ts";
import { renderYaml } from "../yaml.ts";

/** The directory whose files the kubelet merges over kubeadm's configuration. */
const dropInDirectory = "/etc/kubernetes/kubelet.conf.d";

/** Files of the kubelet's that nobody but root needs. */
const privateFiles = [
  "/var/lib/kubelet/config.yaml",
  "/usr/lib/systemd/system/kubelet.service",
  "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
];

/** Pods that run stay in cgroups of the former driver. */
export const otherDriver = effect(
  "impossible",
  "another cgroup driver is refused on a living node: put the former back, or re-create the node",
);

const restart = effect("restart", "the kubelet restarts; running pods stay");

/**
 * The kubelet's settings as a drop-in of this node, not as a field of kubeadm's cluster-wide
 * configuration: a change is a file and a restart, and survives `kubeadm upgrade`.
 */
export const kubelet = defineStep({
  name: "kubelet",
  resource: "runtime",
  document({ kubernetes: { kubelet } }, node) {
    return {
      vars: {
        NODE: node.name,
        SERVING_NAMES: [
          `DNS:${node.name}`,
          ...node.addresses.map((address) => `IP:${address}`),
        ].join(","),
      },
      files: {
        [`${dropInDirectory}/10-oslo-cluster.conf`]: renderYaml({
          apiVersion: "kubelet.config.k8s.io/v1beta1",
          kind: "KubeletConfiguration",
          cgroupDriver: kubelet.cgroupDriver,
          failCgroupV1: kubelet.failCgroupV1,
          maxPods: kubelet.maxPods,
          evictionHard: kubelet.evictionHard,
          // One that the cluster's CA signs and the API servers verify, in place of the kubelet's own.
          serverTLSBootstrap: true,
          // Longer than the kubelet's 0 s: a reboot ends pods in order, critical ones last.
          shutdownGracePeriod: "90s",
          shutdownGracePeriodCriticalPods: "15s",
        }),
        // At every start, since kubeadm and the package write these files for everyone to read.
        "/etc/systemd/system/kubelet.service.d/20-oslo-cluster.conf": `[Service]\nExecStartPre=-/bin/chmod --quiet 0600 ${privateFiles.join(" ")}\n`,
        "/etc/default/kubelet": `KUBELET_EXTRA_ARGS="--config-dir=${dropInDirectory} --node-ip=${node.addresses.join(",")}"\n`,
      },
    };
  },
  effects: {
    default: restart,
    vars: {
      NODE: effect("none", "the node's name is refused before this"),
      SERVING_NAMES: effect("live", "the kubelet asks for a serving certificate of its addresses"),
    },
    files: { [`${dropInDirectory}/*`]: byPath({ cgroupDriver: otherDriver }, restart) },
  },
});
