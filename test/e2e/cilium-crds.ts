import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Manifest } from "../../plan/manifest.ts";
import { downloadModule, findGo } from "../lab/artifacts/go.ts";
import type { ApiServer } from "./api-server.ts";

/** Those that Cilium's operator makes, out of the module that its image is built of. */
export async function ciliumCrds(): Promise<Manifest[]> {
  const module = await downloadModule(await findGo(), "cilium", "github.com/cilium/cilium");
  const folder = join(module, "pkg/k8s/apis/cilium.io/client/crds");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => parse(readFileSync(join(folder, name), "utf8")) as Manifest);
}

/** Puts CRDs into an API server, and waits until it serves them. */
export async function establish(server: ApiServer, crds: readonly Manifest[]): Promise<void> {
  await server.kubectl(["apply", "--server-side"], crds);
  await server.kubectl(["wait", "--for=condition=Established", "--timeout=600s", "crd", "--all"]);
}
