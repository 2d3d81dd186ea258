import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runDirectory } from "./paths.ts";
import { killGroup, runningProcess, startProcess } from "./processes.ts";
import { segment } from "./segment.ts";
import { inNamespace, run } from "./shell.ts";
import { unpackPackages } from "./unpack.ts";

/** AS numbers of the router and of the hosts, who may talk to it. */
export const systems = { own: 64_500, hosts: 64_512 } as const;

/**
 * A router on the segment's bridge, which takes a BGP session from every host and tells nothing. It
 * ends with the lab. Debian's gobgpd, unpacked and not installed: no service of it starts on this machine.
 */
export async function ensureRouter(): Promise<void> {
  const file = join(runDirectory, "router.toml");
  const families = ["ipv4", "ipv6"].map(
    (family) => `[[peer-groups.afi-safis]]
[peer-groups.afi-safis.config]
afi-safi-name = "${family}-unicast"
`,
  );
  await writeFile(
    file,
    `[global.config]
as = ${systems.own}
router-id = "${segment.address}"
[[peer-groups]]
[peer-groups.config]
peer-group-name = "hosts"
peer-as = ${systems.hosts}
${families.join("")}[[dynamic-neighbors]]
[dynamic-neighbors.config]
prefix = "${segment.address.replace(/\d+$/, "0")}/${segment.prefixLength}"
peer-group = "hosts"
`,
  );
  const options = ["--api-hosts", "127.0.0.1:50051", "--pprof-disable", "-f", file];
  await startProcess("router", inNamespace(segment.netns, [await program("gobgpd"), ...options]));
}

/** Takes the router away; its sessions end at once. */
export async function stopRouter(): Promise<void> {
  const pid = runningProcess("router");
  if (pid !== undefined) await killGroup("the router", pid);
}

/** The router's own list of those who talk to it: address, AS, time, state, routes received and accepted. */
export async function routersNeighbours(): Promise<string> {
  const [command = "", ...args] = inNamespace(segment.netns, [await program("gobgp"), "neighbor"]);
  return run(command, args);
}

async function program(name: "gobgp" | "gobgpd"): Promise<string> {
  return join(await unpackPackages("router", ["gobgpd"]), "usr/bin", name);
}
