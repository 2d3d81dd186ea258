import type { Config } from "../../config/config.ts";
import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";
import { otherDriver } from "./kubelet.ts";

/** The pause image of Kubernetes 1.36 (kubeadm's own constant). */
const pause = "registry.k8s.io/pause:3.10.2";

const restart = effect("restart", "containerd restarts; running pods stay");

/** containerd's configuration, its registry mirrors and its unit. */
export const containerd = defineStep({
  name: "containerd",
  resource: "runtime",
  document(config) {
    const mirrors = Object.entries(config.artifacts.registries).map(([upstream, mirror]) => [
      `/etc/containerd/certs.d/${upstream}/hosts.toml`,
      renderMirror(mirror),
    ]);
    return {
      files: {
        "/etc/containerd/config.toml": renderConfig(config),
        // Restarting containerd must not kill the containers: their shims outlive it.
        "/etc/systemd/system/containerd.service.d/10-oslo-cluster.conf":
          "[Service]\nKillMode=process\nRestart=always\nLimitNOFILE=1048576\n",
        ...Object.fromEntries(mirrors),
      },
    };
  },
  effects: {
    default: effect("live", "mirrors are read at each pull"),
    files: {
      "/etc/containerd/config.toml": (before, after) => [
        line(before, "SystemdCgroup") === line(after, "SystemdCgroup") ? restart : otherDriver,
      ],
      "/etc/systemd/system/containerd.service.d/*": restart,
    },
  },
});

function renderConfig({ kubernetes: { kubelet }, sharedKernel }: Config): string {
  return `version = 3

[plugins.'io.containerd.cri.v1.images']
  # kubelet pulls several at once; a slow one must not hold up the rest.
  max_concurrent_downloads = 6

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  # The image that kubeadm pulls, so that garbage collection and mirrors agree on it.
  sandbox = '${pause}'

[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = '/etc/containerd/certs.d'

[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = ${sharedKernel.restrictOomScoreAdj}

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  # Must be the kubelet's cgroup driver, or both fight over the same tree.
  SystemdCgroup = ${kubelet.cgroupDriver === "systemd"}
`;
}

/** `server` is the mirror as well: containerd would otherwise fall back to upstream. */
function renderMirror(mirror: string): string {
  const { origin, pathname } = new URL(mirror);
  const api = `${origin}/v2${pathname.replace(/\/$/, "")}`;
  return `server = "${api}"

[host."${api}"]
  capabilities = ["pull", "resolve"]
  override_path = true
`;
}

function line(content: string | undefined, word: string): string | undefined {
  return content?.split("\n").find((candidate) => candidate.trim().startsWith(word));
}
