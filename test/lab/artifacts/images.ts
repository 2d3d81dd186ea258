import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { cacheDirectory } from "../paths.ts";
import { contentKey, makeOnce, run } from "../shell.ts";
import type { Built } from "./build.ts";
import { downloadModule } from "./go.ts";
import { pauseVersion, recipes } from "./recipes.ts";

/** An image in an OCI layout or archive, to be pushed under its upstream name. */
export interface Image {
  /** Upstream's reference, for example registry.k8s.io/pause:3.10.2. */
  reference: string;
  /** skopeo's name of the source, for example oci:/path:tag. */
  source: string;
}

export interface ImageBinaries {
  kubernetes: Built;
  etcd: Built;
  coredns: Built;
}

/** The images that kubeadm 1.36 pulls, made of the built binaries. */
export async function clusterImages(binaries: ImageBinaries, go: string): Promise<Image[]> {
  const { kubernetes, etcd, coredns } = binaries;
  const kubernetesTag = `v${recipes.kubernetes.version}`;
  const pause = await buildPause(go);
  const [kubernetesDirectory, etcdDirectory] = [kubernetes.directory, etcd.directory];
  const commands = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
  return Promise.all([
    ...commands.map((command) =>
      image(`registry.k8s.io/${command}:${kubernetesTag}`, kubernetes.key, "-", {
        [join(kubernetesDirectory, command)]: `/usr/local/bin/${command}`,
      }),
    ),
    image(`registry.k8s.io/etcd:${recipes.etcd.version}-0`, etcd.key, "-", {
      [join(etcdDirectory, "etcd")]: "/usr/local/bin/etcd",
      [join(etcdDirectory, "etcdctl")]: "/usr/local/bin/etcdctl",
      [join(etcdDirectory, "etcdutl")]: "/usr/local/bin/etcdutl",
    }),
    image(`registry.k8s.io/coredns/coredns:v${recipes.coredns.version}`, coredns.key, "/coredns", {
      [join(coredns.directory, "coredns")]: "/coredns",
    }),
    image(`registry.k8s.io/pause:${pauseVersion}`, pause.key, "/pause", {
      [join(pause.directory, "pause")]: "/pause",
    }),
  ]);
}

/**
 * The archives of a folder that the user names, with an index.json: [{"file", "image"}].
 *
 * @param folder value of OSLO_LAB_IMAGES. @default no folder, no images
 */
export async function givenImages(folder = process.env.OSLO_LAB_IMAGES): Promise<Image[]> {
  if (!folder) return [];
  const file = join(folder, "index.json");
  const index = JSON.parse(await readFile(file, "utf8")) as { file: string; image: string }[];
  if (!Array.isArray(index) || index.some((entry) => !entry?.file || !entry?.image)) {
    throw new Error(`${file}: must be a list of {"file": "x.tar", "image": "host/name:tag"}`);
  }
  return index.map((entry) => ({
    reference: entry.image,
    source: `oci-archive:${join(folder, entry.file)}`,
  }));
}

async function image(
  reference: string,
  binariesKey: string,
  entrypoint: string,
  files: Readonly<Record<string, string>>,
): Promise<Image> {
  const script = join(import.meta.dirname, "image.sh");
  const [name, tag] = splitTag(basename(reference));
  const key = contentKey(
    ...[reference, binariesKey, entrypoint, Object.values(files).join()],
    await readFile(script),
  );
  const directory = await makeOnce(
    join(cacheDirectory, "images", `${name}-${tag}-${key}`),
    async (partial) => {
      const copies = Object.entries(files).map(([source, target]) => `${source}=${target}`);
      await run("bash", [script, join(partial, "layout"), tag, entrypoint, ...copies]);
    },
  );
  return { reference, source: `oci:${join(directory, "layout")}:${tag}` };
}

/** Splits name:tag at the last colon. */
function splitTag(reference: string): [name: string, tag: string] {
  const colon = reference.lastIndexOf(":");
  return [reference.slice(0, colon), reference.slice(colon + 1)];
}

/** The pause program, from the C source in Kubernetes' module. */
async function buildPause(go: string): Promise<Built> {
  const module = await downloadModule(go, "kubernetes", "k8s.io/kubernetes");
  const source = join(module, "build", "pause", "linux", "pause.c");
  const key = contentKey(await readFile(source), pauseVersion);
  const directory = await makeOnce(
    join(cacheDirectory, "binaries", `pause-${pauseVersion}-${key}`),
    async (partial) => {
      const flags = ["-Os", "-Wall", "-Werror", "-static", `-DVERSION=v${pauseVersion}`];
      await run("gcc", [...flags, "-o", join(partial, "pause"), source]);
    },
  );
  return { directory, key };
}
