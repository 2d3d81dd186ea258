import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeOnce } from "../make-once.ts";
import { cacheDirectory } from "../paths.ts";
import { contentKey } from "../shell.ts";
import type { Built } from "./build.ts";
import { type DebianPackage, makePackage } from "./deb.ts";
import { downloadModule } from "./go.ts";
import { recipes } from "./recipes.ts";

const assets = join(import.meta.dirname, "packages");

/** Versions of the packages, in the form that upstream's repositories give them. */
export const packageVersions = {
  kubernetes: `${recipes.kubernetes.version}-1.1`,
  kubernetesCni: `${recipes.cniPlugins.version}-1.1`,
  containerd: `${recipes.containerd.version}-1~debian.12~bookworm`,
} as const;

/** Suite and component of the repository for containerd, as Docker names them. */
export const containerdSuite = { suite: "bookworm", component: "stable" } as const;

/** The binaries that go into packages. */
export interface PackagedBinaries {
  kubernetes: Built;
  cniPlugins: Built;
  containerd: Built;
  runc: Built;
}

/** kubeadm, kubelet, kubectl and kubernetes-cni, as in pkgs.k8s.io. */
export async function kubernetesPackages(binaries: PackagedBinaries): Promise<string> {
  const { kubernetes, cniPlugins } = binaries;
  const version = packageVersions.kubernetes;
  const homepage = "https://kubernetes.io";
  const binary = (name: string) => ({ [`/usr/bin/${name}`]: join(kubernetes.directory, name) });
  return packagesOnce("kubernetes", [kubernetes, cniPlugins], async () => [
    {
      name: "kubeadm",
      version,
      homepage,
      description: "Command-line utility for administering a Kubernetes cluster",
      files: {
        ...binary("kubeadm"),
        "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf": join(
          assets,
          "10-kubeadm.conf",
        ),
      },
    },
    {
      name: "kubectl",
      version,
      homepage,
      description: "Command-line utility for interacting with a Kubernetes cluster",
      files: binary("kubectl"),
    },
    {
      name: "kubelet",
      version,
      homepage,
      description: "Node agent for Kubernetes clusters",
      fields: { Depends: "iptables (>= 1.4.21), kubernetes-cni (>= 1.2.0), mount, util-linux" },
      files: {
        ...binary("kubelet"),
        "/usr/lib/systemd/system/kubelet.service": join(assets, "kubelet.service"),
      },
      scripts: { postinst: join(assets, "kubelet.postinst") },
    },
    {
      name: "kubernetes-cni",
      version: packageVersions.kubernetesCni,
      homepage: "https://www.cni.dev",
      description: "Binaries required to provision container networking",
      files: Object.fromEntries(
        Object.values(recipes.cniPlugins.binaries).map((name) => [
          `/opt/cni/bin/${name}`,
          join(cniPlugins.directory, name),
        ]),
      ),
    },
  ]);
}

/** containerd.io (containerd, its shim, ctr and runc), as in Docker's repository. */
export async function containerdPackages(binaries: PackagedBinaries, go: string): Promise<string> {
  const { containerd, runc } = binaries;
  return packagesOnce("containerd", [containerd, runc], async (directory) => {
    const module = await downloadModule(go, "containerd", "github.com/containerd/containerd/v2");
    const unit = join(directory, "containerd.service");
    const upstream = await readFile(join(module, "containerd.service"), "utf8");
    await writeFile(unit, upstream.replace("/usr/local/bin/containerd", "/usr/bin/containerd"));
    const names = Object.values(recipes.containerd.binaries);
    return [
      {
        name: "containerd.io",
        version: packageVersions.containerd,
        homepage: "https://containerd.io",
        description: "An open and reliable container runtime",
        fields: {
          Provides: "containerd, runc",
          Conflicts: "containerd, runc",
          Replaces: "containerd, runc",
          Depends: "init-system-helpers",
        },
        files: {
          ...Object.fromEntries(
            names.map((name) => [`/usr/bin/${name}`, join(containerd.directory, name)]),
          ),
          "/usr/bin/runc": join(runc.directory, "runc"),
          "/usr/lib/systemd/system/containerd.service": unit,
          "/etc/containerd/config.toml": join(assets, "containerd-config.toml"),
        },
        configurationFiles: ["/etc/containerd/config.toml"],
        scripts: {
          postinst: join(assets, "containerd.postinst"),
          prerm: join(assets, "containerd.prerm"),
        },
      },
    ];
  });
}

/** A directory of packages, made again only when the binaries, the assets or this file change. */
async function packagesOnce(
  name: string,
  built: readonly Built[],
  describe: (directory: string) => Promise<DebianPackage[]>,
): Promise<string> {
  const recipe = [import.meta.filename, join(import.meta.dirname, "deb.ts")].concat(
    (await readdir(assets)).sort().map((file) => join(assets, file)),
  );
  const contents = await Promise.all(recipe.map((file) => readFile(file)));
  const key = contentKey(...built.map(({ key }) => key), ...contents);
  return makeOnce(join(cacheDirectory, "packages", `${name}-${key}`), async (partial) => {
    for (const description of await describe(partial)) await makePackage(description, partial);
  });
}
