import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type BaseTree, type TreeRecipe, treeKey } from "../hosts/tree.ts";
import { contentKey } from "../shell.ts";
import type { Built } from "./build.ts";
import { downloadModule } from "./go.ts";
import { type Image, makeImage } from "./images.ts";
import { ciliumVersion } from "./recipes.ts";

/**
 * What the agent's image has beyond Cilium's own programs: upstream's images/runtime, of Debian's
 * packages. The agent compiles its datapath with clang when it starts.
 */
export const ciliumTree: TreeRecipe = {
  name: "tree of Cilium's image",
  suite: "bookworm",
  packages: [
    ...["bpftool", "ca-certificates", "clang-19", "ipset", "iproute2", "iptables"],
    ...["jq", "kmod", "llvm-19"],
  ],
  scripts: [join(import.meta.dirname, "prepare-cilium-tree.sh")],
};

export interface CiliumBinaries {
  cilium: Built;
  ciliumOperator: Built;
  cniPlugins: Built;
}

/** The images that Cilium's chart names, but Envoy, whose source is no Go module. */
export async function ciliumImages(
  { cilium, ciliumOperator, cniPlugins }: CiliumBinaries,
  tree: BaseTree,
  go: string,
): Promise<Image[]> {
  const module = await downloadModule(go, "cilium", "github.com/cilium/cilium");
  const own = (await readdir(cilium.directory)).filter(
    (name) => !["cilium-cni", "hubble-relay"].includes(name),
  );
  const scripts = [
    "images/cilium/init-container.sh",
    "plugins/cilium-cni/install-plugin.sh",
    "plugins/cilium-cni/cni-uninstall.sh",
  ];
  const agent = makeImage(`quay.io/cilium/cilium:v${ciliumVersion}`, {
    key: contentKey(cilium.key, cniPlugins.key, await treeKey(ciliumTree)),
    // What hubble asks inside of the agent's container, as upstream's Dockerfile says.
    environment: "HUBBLE_SERVER=unix:///var/run/cilium/hubble.sock",
    files: {
      [tree.root]: "/",
      ...Object.fromEntries(
        own.map((name) => [join(cilium.directory, name), `/usr/bin/${name}`] as const),
      ),
      [join(cilium.directory, "cilium-cni")]: "/opt/cni/bin/cilium-cni",
      [join(cniPlugins.directory, "loopback")]: "/cni/loopback",
      [join(module, "bpf")]: "/var/lib/cilium/bpf",
      ...Object.fromEntries(
        scripts.map((script) => [join(module, script), `/${script.split("/").at(-1)}`] as const),
      ),
    },
  });
  const operator = makeImage(`quay.io/cilium/operator-generic:v${ciliumVersion}`, {
    key: ciliumOperator.key,
    files: {
      [join(ciliumOperator.directory, "cilium-operator-generic")]:
        "/usr/bin/cilium-operator-generic",
    },
  });
  const relay = makeImage(`quay.io/cilium/hubble-relay:v${ciliumVersion}`, {
    ...{ key: cilium.key, entrypoint: "/usr/bin/hubble-relay" },
    // gops writes there; the relay's root file system is read-only.
    environment: "GOPS_CONFIG_DIR=/tmp",
    files: { [join(cilium.directory, "hubble-relay")]: "/usr/bin/hubble-relay" },
  });
  return Promise.all([agent, operator, relay]);
}
