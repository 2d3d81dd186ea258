import { readFileSync } from "node:fs";
import { artifacts } from "../../../../config/sections/artifacts.ts";
import { packageVersions } from "../packages.ts";
import { agnhostImage, ciliumVersion, pauseVersion, recipes } from "../recipes.ts";

/** An apt repository, and who must have signed it. */
export interface AptSource {
  url: string;
  /** Where its key is. */
  key: string;
  /** 40 upper-case hexadecimal digits. */
  keyFingerprint: string;
  /** Suite and component; `/` where the repository is flat. */
  suite: string;
  /** Packages, each with the version that the stack pins, or the newest. */
  packages: readonly string[];
  /** Taken where the repository has them: dependencies that not every release has. @default none */
  optional?: readonly string[];
}

/** A file, and the SHA-256 that it must have. */
export interface FileSource {
  url: string;
  /** 64 hexadecimal digits, or the address of the list that the publisher has put them in. */
  sha256: string | { list: string };
}

/** Where upstream's artifacts come from, and what proves that they are upstream's. */
export interface Sources {
  kubernetes: AptSource;
  containerd: AptSource;
  /** Reference → digest of the manifest, or undefined where none is known: then the registry's word counts. */
  images: Readonly<Record<string, string | undefined>>;
  /** Registry → address to ask in its place. @default itself */
  registries: Readonly<Record<string, string>>;
  chart: FileSource;
  helm: FileSource;
  pulumi: FileSource;
}

const { kubernetes, containerd, charts } = artifacts.parse({});
const [major, minor] = recipes.kubernetes.version.split(".");
const kubernetesUrl = `https://pkgs.k8s.io/core:/stable:/v${major}.${minor}/deb/`;
const version = (name: keyof typeof recipes) => recipes[name].version;
const tag = `v${version("kubernetes")}`;
const [pulumi, helm] = [version("pulumi"), version("helm")];

/**
 * Upstream's own. Keys are the product's pins. Digests and checksums are those that upstream has published for
 * these versions, and change with them; no checksum of Pulumi's CLI is known here, so that its archive
 * and the release's list of checksums, which lies on another host, must agree.
 */
export const upstream: Sources = {
  kubernetes: {
    ...{ url: kubernetesUrl, key: `${kubernetesUrl}Release.key`, suite: "/" },
    keyFingerprint: kubernetes.keyFingerprint,
    packages: [
      ...["kubeadm", "kubectl", "kubelet"].map((name) => `${name}=${packageVersions.kubernetes}`),
      "kubernetes-cni",
    ],
    optional: ["cri-tools"],
  },
  containerd: {
    ...{ url: containerd.url, key: `${containerd.url}/gpg`, suite: "bookworm stable" },
    keyFingerprint: containerd.keyFingerprint,
    packages: [`containerd.io=${packageVersions.containerd}`],
  },
  images: {
    [`registry.k8s.io/kube-apiserver:${tag}`]:
      "b4bc06c81fd76f81174e6c19ddacf477acdf1583e7a5846ebbd513493aef6e43",
    [`registry.k8s.io/kube-controller-manager:${tag}`]:
      "ed56454bf514916079a227f5765b64524fde52106dfcc52978b28634765b78b8",
    [`registry.k8s.io/kube-scheduler:${tag}`]:
      "128fc07d278d64c4f2cce416ed0a9f37b23a30cdde6f97873d18c9c78e259df4",
    [`registry.k8s.io/etcd:${version("etcd")}-0`]:
      "397189418d1a00e500c0605ad18d1baf3b541a1004d768448c367e48071622e5",
    [`registry.k8s.io/coredns/coredns:v${version("coredns")}`]:
      "e7e6440cfd1e919280958f5b5a6ab2b184d385bba774c12ad2a9e1e4183f90d9",
    [`registry.k8s.io/pause:${pauseVersion}`]:
      "f548e0e8e3dc1896ca956272154dde3314e8cc4fde0a57577ee9fa1c63f5baf4",
    [`quay.io/cilium/cilium:v${ciliumVersion}`]:
      "2939231d0d3e3ebddcd80fffa168b7ddcc78fdf0dc864d1c8c126ff523c54f01",
    [`quay.io/cilium/operator-generic:v${ciliumVersion}`]:
      "64d8798350e8569b8e7622563fed6e44dce2625f311e4651b774816516c744fc",
    [`quay.io/cilium/hubble-relay:v${ciliumVersion}`]:
      "d309c977870e9dbede7122a10eee09a4c9d66685e8d52af62d9c3c113f815b0f",
    // Runs in tests' pods alone.
    [agnhostImage]: undefined,
  },
  registries: {},
  chart: {
    url: `${charts}/cilium-${ciliumVersion}.tgz`,
    sha256: "b2afd87b7f75f875f92a14559f14f59b7babbb479d968e3fd625a20bf30ec20e",
  },
  helm: {
    url: `https://get.helm.sh/helm-v${helm}-linux-amd64.tar.gz`,
    sha256: "1e4ab49e429626cf6c6958d914248b78c9730803c2751b87627e171dc800e7bb",
  },
  pulumi: {
    url: `https://get.pulumi.com/releases/sdk/pulumi-v${pulumi}-linux-x64.tar.gz`,
    sha256: {
      list: `https://github.com/pulumi/pulumi/releases/download/v${pulumi}/pulumi-${pulumi}-checksums.txt`,
    },
  },
};

/** OSLO_LAB_SOURCES names a JSON file with those that are to be asked in upstream's place. @default upstream */
export function chosenSources(file = process.env.OSLO_LAB_SOURCES): Sources {
  return file ? { ...upstream, ...JSON.parse(readFileSync(file, "utf8")) } : upstream;
}
