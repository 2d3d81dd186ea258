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

/** Version of Cilium: of its binaries, its image and its chart, all from the module in modules/cilium. */
export const ciliumVersion = "1.20.2";
const cilium = "github.com/cilium/cilium";
/** What Cilium's Makefile.defs sets; a tree without git has no commit and no date. */
const ciliumVariables = {
  [`${cilium}/pkg/version.ciliumVersion`]: `${ciliumVersion} module 1970-01-01T00:00:00+00:00`,
};

/** Longest first: they are built in this order, two at a time. */
export const recipes = {
  kubernetes: {
    name: "kubernetes",
    version: kubernetesVersion,
    binaries: Object.fromEntries(
      kubernetesCommands.map((command) => [`k8s.io/kubernetes/cmd/${command}`, command]),
    ),
    variables: kubernetesVariables(),
  },
  cilium: {
    name: "cilium",
    version: ciliumVersion,
    binaries: {
      [`${cilium}/daemon`]: "cilium-agent",
      [`${cilium}/cilium-dbg`]: "cilium-dbg",
      [`${cilium}/cilium-health/responder`]: "cilium-health-responder",
      [`${cilium}/plugins/cilium-cni`]: "cilium-cni",
      [`${cilium}/hubble`]: "hubble",
      [`${cilium}/hubble-relay`]: "hubble-relay",
      [`${cilium}/tools/mount`]: "cilium-mount",
      [`${cilium}/tools/sysctlfix`]: "cilium-sysctlfix",
    },
    variables: ciliumVariables,
    tags: ["osusergo"],
  },
  pulumi: {
    name: "pulumi",
    version: "3.274.1",
    binaries: { "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi": "pulumi" },
    variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.274.1" },
  },
  ciliumOperator: {
    name: "cilium",
    version: ciliumVersion,
    binaries: { [`${cilium}/operator`]: "cilium-operator-generic" },
    variables: ciliumVariables,
    tags: ["osusergo", "ipam_provider_operator"],
  },
  helm: {
    name: "helm",
    version: "3.22.0",
    binaries: { "helm.sh/helm/v3/cmd/helm": "helm" },
    variables: { "helm.sh/helm/v3/internal/version.version": "v3.22.0" },
  },
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
  // Of a main package of its own: upstream's compiles the plugins of every cloud provider too.
  coredns: {
    name: "coredns",
    version: "1.14.2",
    binaries: { "oslo-cluster/lab/artifacts/coredns": "coredns" },
  },
  // Upstream's own test server, for what tests run in pods.
  agnhost: {
    name: "agnhost",
    version: kubernetesVersion,
    binaries: { "k8s.io/kubernetes/test/images/agnhost": "agnhost" },
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
} satisfies Record<string, Recipe>;

/** Checks the project's GitHub workflows; no part of the lab's cluster. */
export const actionlint: Recipe = {
  name: "actionlint",
  version: "1.7.12",
  binaries: { "github.com/rhysd/actionlint/cmd/actionlint": "actionlint" },
};

/** An S3 server, for what tests send to one; no part of the lab's cluster. */
export const versitygw: Recipe = {
  name: "versitygw",
  version: "1.8.0",
  binaries: { "github.com/versity/versitygw/cmd/versitygw": "versitygw" },
};

/** Upstream's image of agnhost that this version of Kubernetes' module makes. */
export const agnhostImage = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";

/** Version of the pause image that kubeadm 1.36 asks for; its source is in Kubernetes' module. */
export const pauseVersion = "3.10.2";
