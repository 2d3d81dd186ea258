import { join } from "node:path";
import { run } from "../../shell.ts";
import type { Image } from "../images.ts";
import type { Sources } from "./sources.ts";

/**
 * Copies an image of a registry into an OCI layout below a directory. Asked for by its digest, it is held to it,
 * and each layer to the manifest.
 */
export async function downloadImage(
  reference: string,
  { images, registries }: Pick<Sources, "images" | "registries">,
  directory: string,
): Promise<Image> {
  const tag = reference.slice(reference.lastIndexOf(":") + 1);
  const digest = images[reference];
  const [registry = "", ...path] = reference.split("/");
  const mirror = new URL(registries[registry] ?? `https://${registry}`);
  const name = [`${mirror.host}${mirror.pathname.replace(/\/$/, "")}`, ...path].join("/");
  const from = digest ? `${name.slice(0, -tag.length - 1)}@sha256:${digest}` : name;
  const source = `oci:${join(directory, "layout")}:${tag}`;
  await run("skopeo", [
    ...["copy", "--quiet", "--insecure-policy", "--retry-times=3", "--override-os=linux"],
    ...["--override-arch=amd64", `--src-tls-verify=${mirror.protocol === "https:"}`],
    ...[`docker://${from}`, source],
  ]);
  return { reference, source };
}
