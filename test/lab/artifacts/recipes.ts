/** How the binaries of one upstream are built from its pinned, checksummed Go modules. */
export interface Recipe {
  /** Folder under modules/ with the upstream's go.mod and go.sum. */
  name: string;
  version: string;
  /** Import path of each main package → name of the binary. */
  binaries: Readonly<Record<string, string>>;
  /** -X values of the linker: what upstream's own release build sets. */
  variables?: Readonly<Record<string, string>>;
  /** Build tags. */
  tags?: readonly string[];
  /** Links statically against C libraries of this machine. @default false: no cgo */
  cgo?: boolean;
}

const kubernetesVersion = "1.36.3";

/** What Kubernetes' hack/lib/version.sh sets, for a tree without git. */
function kubernetesVariables(): Record<string, string> {
  const [major, minor] = kubernetesVersion.split(".");
  const values = {
    gitVersion: `v${kubernetesVersion}`,
    gitMajor: `${major}`,
    gitMinor: `${minor}`,
    gitCommit: "",
    gitTreeState: "archive",
    buildDate: "2026-07-22T18:07:38Z",
  };
  return Object.fromEntries(
    ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((target) =>
      Object.entries(values).map(([key, value]) => [`${target}.${key}`, value]),
    ),
  );
}

const kubernetesCommands = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubeadm",
  "kubectl",
  "kubelet",
];
const containerd = "github.com/containerd/containerd/v2";
const cniPlugins = "github.com/containernetworking/plugins";

export const recipes = {
  containerd: {
    name: "containerd",
    version: "2.4.2",
    binaries: {
      [`${containerd}/cmd/containerd`]: "containerd",
      [`${containerd}/cmd/containerd-shim-runc-v2`]: "containerd-shim-runc-v2",
      [`${containerd}/cmd/ctr`]: "ctr",
    },
    variables: {
      [`${containerd}/version.Version`]: "v2.4.2",
      [`${containerd}/version.Package`]: containerd,
    },
  },
  runc: {
    name: "runc",
    version: "1.5.2",
    binaries: { "github.com/opencontainers/runc": "runc" },
    tags: ["seccomp", "netgo", "osusergo", "urfave_cli_no_docs"],
    cgo: true,
  },
  cniPlugins: {
    name: "cni-plugins",
    version: "1.9.1",
    binaries: {
      [`${cniPlugins}/plugins/main/bridge`]: "bridge",
      [`${cniPlugins}/plugins/main/loopback`]: "loopback",
      [`${cniPlugins}/plugins/ipam/host-local`]: "host-local",
      [`${cniPlugins}/plugins/meta/portmap`]: "portmap",
    },
    variables: { [`${cniPlugins}/pkg/utils/buildversion.BuildVersion`]: "v1.9.1" },
  },
  helm: {
    name: "helm",
    version: "3.22.0",
    binaries: { "helm.sh/helm/v3/cmd/helm": "helm" },
    variables: { "helm.sh/helm/v3/internal/version.version": "v3.22.0" },
  },
  etcd: {
    name: "etcd",
    version: "3.6.8",
    binaries: {
      "go.etcd.io/etcd/server/v3": "etcd",
      "go.etcd.io/etcd/etcdctl/v3": "etcdctl",
      "go.etcd.io/etcd/etcdutl/v3": "etcdutl",
    },
  },
  coredns: {
    name: "coredns",
    version: "1.14.2",
    binaries: { "github.com/coredns/coredns": "coredns" },
  },
  kubernetes: {
    name: "kubernetes",
    version: kubernetesVersion,
    binaries: Object.fromEntries(
      kubernetesCommands.map((command) => [`k8s.io/kubernetes/cmd/${command}`, command]),
    ),
    variables: kubernetesVariables(),
  },
} satisfies Record<string, Recipe>;

/** Checks the project's GitHub workflows; no part of the lab's cluster. */
export const actionlint: Recipe = {
  name: "actionlint",
  version: "1.7.12",
  binaries: { "github.com/rhysd/actionlint/cmd/actionlint": "actionlint" },
};

/** Version of the pause image that kubeadm 1.36 asks for; its source is in Kubernetes' module. */
export const pauseVersion = "3.10.2";

/** Version of the Cilium chart; its module is pinned in modules/cilium. */
export const ciliumVersion = "1.20.2";
