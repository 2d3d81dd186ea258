import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeOnce } from "../make-once.ts";
import { cacheDirectory } from "../paths.ts";
import { contentKey, run } from "../shell.ts";
import type { Built } from "./build.ts";
import { downloadModule } from "./go.ts";
import { agnhostImage, pauseVersion, recipes } from "./recipes.ts";

/** An image in an OCI layout, to be pushed under its upstream name. */
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
  agnhost: Built;
}

/** The images that kubeadm 1.36 pulls, and the tests' server, made of the built binaries. */
export async function clusterImages(binaries: ImageBinaries, go: string): Promise<Image[]> {
  const { kubernetes, etcd, coredns, agnhost } = binaries;
  const kubernetesTag = `v${recipes.kubernetes.version}`;
  const pause = await buildPause(go);
  const [kubernetesDirectory, etcdDirectory] = [kubernetes.directory, etcd.directory];
  const commands = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
  return Promise.all([
    ...commands.map((command) =>
      makeImage(`registry.k8s.io/${command}:${kubernetesTag}`, {
        key: kubernetes.key,
        files: { [join(kubernetesDirectory, command)]: `/usr/local/bin/${command}` },
      }),
    ),
    makeImage(`registry.k8s.io/etcd:${recipes.etcd.version}-0`, {
      key: etcd.key,
      files: Object.fromEntries(
        ["etcd", "etcdctl", "etcdutl"].map((name) => [
          join(etcdDirectory, name),
          `/usr/local/bin/${name}`,
        ]),
      ),
    }),
    makeImage(`registry.k8s.io/coredns/coredns:v${recipes.coredns.version}`, {
      ...{ key: coredns.key, entrypoint: "/coredns" },
      files: { [join(coredns.directory, "coredns")]: "/coredns" },
    }),
    makeImage(agnhostImage, {
      ...{ key: agnhost.key, entrypoint: "/agnhost" },
      files: { [join(agnhost.directory, "agnhost")]: "/agnhost" },
    }),
    makeImage(`registry.k8s.io/pause:${pauseVersion}`, {
      ...{ key: pause.key, entrypoint: "/pause" },
      files: { [join(pause.directory, "pause")]: "/pause" },
    }),
  ]);
}

/** What an image is made of. */
export interface ImageContent {
  /** Changes when the files do. */
  key: string;
  /** Absolute path of the command. @default none: the manifests name it */
  entrypoint?: string;
  /** NAME=VALUE. @default none */
  environment?: string;
  /** Path on this machine → path in the image; a directory at / comes first. */
  files: Readonly<Record<string, string>>;
}

/** Makes an image, or takes it from the cache. */
export async function makeImage(
  reference: string,
  { key: content, entrypoint = "-", environment = "-", files }: ImageContent,
): Promise<Image> {
  const script = join(import.meta.dirname, "image.sh");
  const [name, tag] = splitTag(basename(reference));
  const key = contentKey(
    ...[reference, content, entrypoint, environment, Object.values(files).join()],
    await readFile(script),
  );
  const directory = await makeOnce(
    join(cacheDirectory, "images", `${name}-${tag}-${key}`),
    async (partial) => {
      const copies = Object.entries(files).map(([source, target]) => `${source}=${target}`);
      const layout = join(partial, "layout");
      await run("bash", [script, layout, tag, entrypoint, environment, ...copies]);
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
