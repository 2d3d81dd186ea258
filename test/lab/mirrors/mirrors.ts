import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Host } from "../hosts/host.ts";
import { runDirectory } from "../paths.ts";
import { runningProcess, startProcess } from "../processes.ts";
import { segment } from "../segment.ts";
import { inNamespace, run, succeeds, waitFor } from "../shell.ts";
import type { Daemons } from "./daemons.ts";

/** Address of the OCI registry: plain HTTP. */
export const registryUrl = `http://${segment.address}:5000`;

/** Address of the static files: apt repositories and charts. */
export const staticUrl = `http://${segment.address}`;

const configDirectory = join(runDirectory, "mirrors");

/** Seconds within which a daemon must answer. */
const startDeadline = 60;

/**
 * Serves directories over HTTP with nginx.
 *
 * @param paths path in the address → directory on this machine
 */
export async function ensureStatic(
  daemons: Daemons,
  paths: Readonly<Record<string, string>>,
): Promise<void> {
  const root = join(configDirectory, "www");
  await rm(root, { recursive: true, force: true });
  for (const [path, directory] of Object.entries(paths)) {
    const link = join(root, path);
    await mkdir(dirname(link), { recursive: true });
    await symlink(directory, link);
  }
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${configDirectory}/${kind};`,
  );
  const configuration = [
    "daemon off;",
    "user root;",
    "worker_processes 1;",
    `pid ${configDirectory}/nginx.pid;`,
    "error_log stderr;",
    "events {}",
    "http {",
    ...temporary,
    "access_log /dev/stdout;",
    "sendfile on;",
    "server {",
    `listen ${segment.address}:80;`,
    `listen [${segment.address6}]:80;`,
    `root ${root};`,
    "autoindex on;",
    "}",
    "}",
  ];
  await start("nginx", configuration, (file) => [daemons.nginx, "-e", "stderr", "-c", file]);
  await waitFor("nginx", startDeadline, () => answers("nginx", `${staticUrl}/`));
}

/** Runs the OCI registry over a folder. */
export async function ensureRegistry(daemons: Daemons, storage: string): Promise<void> {
  const configuration = {
    version: 0.1,
    log: { level: "warn", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: `${segment.address}:5000` },
  };
  // JSON is YAML.
  await start("registry", [JSON.stringify(configuration)], (file) => [
    ...[daemons.registry, "serve", file],
  ]);
  await waitFor("the registry", startDeadline, () => answers("registry", `${registryUrl}/v2/`));
}

/** Runs an NTP server that serves this machine's clock and never sets it. */
export async function ensureTimeServer(daemons: Daemons): Promise<void> {
  const configuration = [
    "local stratum 8",
    "allow",
    "cmdport 0",
    `bindcmdaddress ${configDirectory}/chronyd.sock`,
    `pidfile ${configDirectory}/chronyd.pid`,
  ];
  await start("chronyd", configuration, (file) => [
    ...[daemons.chronyd, "-x", "-d", "-u", "root", "-f", file],
  ]);
  await waitForPort("chronyd", 123);
}

/**
 * Runs the name server that hosts are configured with. It knows the hosts and says at once that no
 * other name exists, where a closed segment would let every look-up time out.
 */
export async function ensureNameServer(coredns: string, hosts: readonly Host[]): Promise<void> {
  const zone = [
    ". 5 IN SOA lab. lab. 1 3600 600 86400 5",
    ". 5 IN NS lab.",
    `lab. 5 IN A ${segment.address}`,
    ...hosts.flatMap(({ name, address, address6 }) => [
      `${name}. 5 IN A ${address}`,
      `${name}. 5 IN AAAA ${address6}`,
    ]),
  ];
  const file = join(configDirectory, "zone");
  await mkdir(configDirectory, { recursive: true });
  await writeFile(file, `${zone.join("\n")}\n`);
  const configuration = [
    ". {",
    `bind ${segment.address} ${segment.address6}`,
    `file ${file} .`,
    "}",
  ];
  await start("coredns", configuration, (file) => [coredns, "-conf", file]);
  await waitForPort("coredns", 53);
}

async function waitForPort(name: string, port: number): Promise<void> {
  const ss = inNamespace(segment.netns, ["ss", "-Hlun", `sport = :${port}`]);
  await waitFor(name, startDeadline, async () => {
    requireRunning(name);
    return (await run(ss[0] ?? "", ss.slice(1))).includes(`:${port}`);
  });
}

async function start(
  name: string,
  configuration: readonly string[],
  command: (file: string) => string[],
): Promise<void> {
  await mkdir(configDirectory, { recursive: true });
  const file = join(configDirectory, `${name}.conf`);
  await writeFile(file, `${configuration.join("\n")}\n`);
  await startProcess(name, inNamespace(segment.netns, command(file)));
}

async function answers(name: string, url: string): Promise<boolean> {
  requireRunning(name);
  const curl = ["curl", "--silent", "--fail", "--max-time", "2", "--noproxy", "*", url];
  const [command = "", ...args] = inNamespace(segment.netns, curl);
  return succeeds(command, args);
}

function requireRunning(name: string): void {
  if (runningProcess(name)) return;
  throw new Error(`${name}: ended; its log is ${join(runDirectory, "logs", `${name}.log`)}`);
}
