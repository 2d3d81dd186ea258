import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runDirectory } from "../paths.ts";
import { startProcess } from "../processes.ts";
import { segment } from "../segment.ts";
import { inNamespace, run, waitFor } from "../shell.ts";
import type { Host } from "./host.ts";

const keyDirectory = join(runDirectory, "keys");

/** Socket of the agent that holds the operator's key. */
export const agentSocket = join(runDirectory, "agent.sock");

/** The operator's private key, once a host has been made. */
export const operatorKeyFile = join(keyDirectory, "operator");

/** The operator's public key, which every host lets in as root. */
export async function operatorKey(): Promise<string> {
  return readFile(`${await ensureKey("operator")}.pub`, "utf8");
}

/** Files of a host's key pair, made before the host first boots. */
export async function hostKeyFile(host: string): Promise<string> {
  return ensureKey(`host-${host}`);
}

/** A host's public key in the form of known_hosts: "ssh-ed25519 AAAA…". */
export async function hostPublicKey(host: string): Promise<string> {
  const line = await readFile(`${await hostKeyFile(host)}.pub`, "utf8");
  return line.split(" ").slice(0, 2).join(" ");
}

/** Forgets a host's key pair: the next one that is asked for is another. */
export async function discardHostKey(host: string): Promise<void> {
  const key = await hostKeyFile(host);
  await Promise.all([rm(key), rm(`${key}.pub`)]);
}

/** Starts the lab's own ssh-agent and gives it the operator's key. */
export async function ensureAgent(): Promise<void> {
  const key = await ensureKey("operator");
  const agent = ["ssh-agent", "-D", "-a", agentSocket];
  await startProcess("ssh-agent", inNamespace(segment.netns, agent));
  await waitFor("ssh-agent's socket", 60, () => existsSync(agentSocket));
  await run("ssh-add", ["-q", key], { env: { SSH_AUTH_SOCK: agentSocket } });
}

/** Runs a command on a host over SSH, trusting the pinned key alone. */
export async function onHost(host: Host, command: string): Promise<string> {
  const known = join(runDirectory, "known_hosts");
  const options = [
    ...["BatchMode=yes", "ConnectTimeout=2", "StrictHostKeyChecking=yes"],
    ...[`UserKnownHostsFile=${known}`, "GlobalKnownHostsFile=/dev/null", "LogLevel=ERROR"],
  ].flatMap((option) => ["-o", option]);
  const ssh = ["ssh", "-F", "none", ...options, `root@${host.address}`, command];
  const [nsenter = "", ...args] = inNamespace(segment.netns, ssh);
  return run(nsenter, args, { env: { SSH_AUTH_SOCK: agentSocket }, stdin: "ignore" });
}

/** Writes the pinned keys of all hosts where ssh looks for them. */
export async function writeKnownHosts(hosts: readonly Host[]): Promise<void> {
  const lines = await Promise.all(
    hosts.map(async ({ name, address, address6 }) => {
      return `${name},${address},${address6} ${await hostPublicKey(name)}\n`;
    }),
  );
  await writeFile(join(runDirectory, "known_hosts"), lines.join(""));
}

async function ensureKey(name: string): Promise<string> {
  const file = join(keyDirectory, name);
  if (!existsSync(file)) {
    await mkdir(keyDirectory, { recursive: true, mode: 0o700 });
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `lab-${name}`, "-f", file]);
  }
  return file;
}
