import { loadConfig } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { renderYaml } from "../../plan/yaml.ts";
import { build } from "../lab/artifacts/build.ts";
import { findGo } from "../lab/artifacts/go.ts";
import { recipes } from "../lab/artifacts/recipes.ts";
import { describeMachine } from "../lab/machine.ts";
import { Progress } from "../lab/progress.ts";
import { ensureTools } from "../lab/tools.ts";
import { stack } from "../stack.ts";
import type { LoopbackControlPlane } from "./loopback.ts";

/**
 * What is written to these directories of the machine ends with the kubelet. Its kernel parameters stay as they are: the
 * kubelet sees those that it would set as set.
 */
const script = `set -e
for directory in /var/lib /var/log /run /opt; do mount -t tmpfs tmpfs $directory; done
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
while read -r name value; do
  mkdir -p /run/sys/\${name%/*}
  echo "$value" >/run/sys/$name
  mount --bind /run/sys/$name /proc/sys/$name
done <<END
vm/overcommit_memory 1
kernel/panic 10
kernel/panic_on_oops 1
END
containerd >/dev/null 2>&1 &
until [ -S /run/containerd/containerd.sock ]; do sleep 0.1; done
exec kubelet "$@"`;

/**
 * Starts a real kubelet and containerd on the loopback as a node of the test's stack, with the drop-in that the
 * plan gives it. It is `kubelet` among the plane's daemons; its pods get no network.
 * @returns its addresses
 */
export async function startKubelet(plane: LoopbackControlPlane, name: string): Promise<string[]> {
  const { machine } = plane;
  await ensureTools();
  const go = await findGo();
  const programs = [];
  for (const recipe of [recipes.containerd, recipes.runc])
    programs.push((await build(go, recipe, new Progress())).directory);
  const failCgroupV1 = describeMachine().cgroupVersion === 2;
  const config = loadConfig(stack({ "kubernetes.kubelet.failCgroupV1": failCgroupV1 }), "test");
  const { addresses } = config.nodes.find((node) => node.name === name) ?? { addresses: [] };
  for (const address of addresses) await plane.run("ip", "address", "add", address, "dev", "lo");
  const planned = plan(config).nodes.find((node) => node.name === name);
  const dropIn = "/etc/kubernetes/kubelet.conf.d/10-oslo-cluster.conf";
  machine.write(dropIn.slice(1), planned?.steps.kubelet?.files[dropIn] ?? "");
  machine.write("kubelet.yaml", renderYaml(base(machine.path("etc/kubernetes/pki/ca.crt"))));
  const { stdout } = await plane.run(
    ...["kubeadm", "kubeconfig", "user", "--client-name", `system:node:${name}`],
    ...["--org", "system:nodes", "--config", machine.path("etc/oslo-cluster/kubeadm-init.yaml")],
  );
  machine.write("kubelet.conf", stdout);
  const words = [
    `--config=${machine.path("kubelet.yaml")}`,
    `--config-dir=${machine.path("etc/kubernetes/kubelet.conf.d")}`,
    `--kubeconfig=${machine.path("kubelet.conf")}`,
    ...[`--hostname-override=${name}`, `--node-ip=${addresses.join(",")}`],
  ];
  const path = [...programs, plane.environment().PATH].join(":");
  // `ip netns exec` hides the cgroups; they are this process's.
  const unshare = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];
  plane.spawn(
    "nsenter",
    [
      `--mount=/proc/${process.pid}/ns/mnt`,
      ...["unshare", ...unshare, "bash", "-c", script, "kubelet", ...words],
    ],
    { PATH: path },
    "kubelet",
  );
  return addresses;
}

/** What kubeadm and the machine give a kubelet otherwise. */
function base(clientCAFile: string) {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: { anonymous: { enabled: false }, x509: { clientCAFile } },
    authorization: { mode: "Webhook" },
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    // Not the machine's cgroups, swap and kernel parameters.
    ...{ cgroupsPerQOS: false, enforceNodeAllocatable: ["none"], failSwapOn: false },
    featureGates: { KubeletInUserNamespace: true },
  };
}
