import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import { output } from "../../steps/ssh/process.ts";
import { UserError } from "../command.ts";

/** A copy may be anybody's who can write at the target, and what it names is run on this machine. */
const upstream = /^registry\.k8s\.io\/(etcd|kube-apiserver):[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/**
 * The programs of images, on this machine: the versions that a copy was made with.
 * @returns their folder
 * @throws UserError where an image is not upstream's
 */
export async function programsOf(
  { artifacts }: Pick<Config, "artifacts">,
  images: { etcd: string; kubeApiserver: string },
  folder: string,
): Promise<string> {
  for (const image of [images.etcd, images.kubeApiserver]) {
    if (!upstream.test(image))
      throw new UserError(
        `the copy names the image ${image}: only registry.k8s.io/etcd and kube-apiserver are run here; give the programs yourself, --binaries FOLDER`,
      );
    const layers = join(folder, "layers", image.replace(/[^A-Za-z0-9.]/g, "-"));
    mkdirSync(layers, { recursive: true });
    const source = mirrored(artifacts.registries, image);
    const plain = source.startsWith("http:") ? ["--src-tls-verify=false"] : [];
    const reference = source.replace(/^https?:/, "docker:");
    await output(["skopeo", "copy", "--quiet", ...plain, reference, `dir:${layers}`]);
    const manifest = JSON.parse(readFileSync(join(layers, "manifest.json"), "utf8")) as {
      layers: { digest: string }[];
    };
    for (const { digest } of manifest.layers) {
      const layer = join(layers, digest.replace("sha256:", ""));
      const words = [
        "--extract",
        "--file",
        layer,
        "--directory",
        folder,
        "--strip-components",
        "3",
      ];
      await output(["tar", ...words, "--wildcards", "--no-anchored", "usr/local/bin/*"]).catch(
        () => {}, // a layer without programs; a missing one is noticed when it is started
      );
    }
  }
  return folder;
}

/** Where an image is fetched from, `https://host/name:tag`. */
function mirrored(registries: Config["artifacts"]["registries"], image: string): string {
  const [registry = "", ...rest] = image.split("/");
  return `${registries[registry] ?? `https://${registry}`}/${rest.join("/")}`;
}
