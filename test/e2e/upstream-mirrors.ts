import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { unpackDaemons } from "../lab/mirrors/daemons.ts";
import { run, waitFor } from "../lab/shell.ts";
import { freePorts } from "./ports.ts";

/** A server on loopback, of what lies in a directory. */
export interface Mirror {
  /** http://ADDRESS:PORT */
  url: string;
  close(): void;
}

/** Whatever proxy this machine has, it is not asked for loopback. */
export function askLoopbackItself(): void {
  process.env.no_proxy = [process.env.no_proxy, "127.0.0.1"].filter(Boolean).join();
}

/** Serves a directory's files. */
export async function serveFiles(directory: string): Promise<Mirror> {
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(directory, decodeURIComponent(request.url ?? ""))));
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, "127.0.0.1");
  await waitFor("the files' server", 60, () => server.listening);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close() };
}

/** Runs Debian's registry over a directory. */
export async function serveImages(directory: string): Promise<Mirror> {
  const daemons = await unpackDaemons();
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const configuration = join(directory, "registry.json");
  const filesystem = { rootdirectory: directory };
  writeFileSync(
    configuration,
    // Without its cache it reads each blob again.
    JSON.stringify({
      version: 0.1,
      log: { level: "error" },
      storage: { filesystem },
      http: { addr: address },
    }),
  );
  const registry = spawn(daemons.registry, ["serve", configuration], { stdio: "ignore" });
  const url = `http://${address}`;
  await waitFor("the registry", 60, async () =>
    fetch(`${url}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { url, close: () => registry.kill() };
}

/**
 * Copies an image into a registry on loopback.
 *
 * @param source skopeo's name of it, for example oci:/path:tag
 * @param name with its tag
 * @returns the digest that the registry gives it: 64 hexadecimal digits
 */
export async function push(source: string, { url }: Mirror, name: string): Promise<string> {
  const target = `docker://${new URL(url).host}/${name}`;
  const copy = ["copy", "--quiet", "--insecure-policy", "--preserve-digests"];
  await run("skopeo", [...copy, "--dest-tls-verify=false", source, target]);
  const inspect = ["inspect", "--tls-verify=false", "--format={{.Digest}}"];
  return (await run("skopeo", [...inspect, target])).replace("sha256:", "");
}
