import { createHash } from "node:crypto";
import { runProcess } from "../../steps/ssh/process.ts";
import { machineReach } from "../../steps/ssh/target.ts";
import { UsageError, UserError } from "../command.ts";

/** Where a machine's SSH answers, as a person types it: `[user@]host[:port]`. */
export interface Destination {
  user: string;
  host: string;
  port: number;
}

/** What a machine says of itself. */
export interface Machine extends Destination {
  hostKey: string;
  system: string;
  kernel: string;
  cpus: number;
  memoryMebibytes: number;
  /** Addresses with their prefix lengths, by interface; loopback and link-local ones left out. */
  interfaces: Map<string, string[]>;
}

/** @throws UsageError where it is not a destination. */
export function readDestination(text: string): Destination {
  const [, user = "root", bracketed, plain, port = "22"] =
    text.match(/^(?:([a-z_][a-z0-9_-]*)@)?(?:\[([0-9a-fA-F:]+)\]|([^@:\s/]+))(?::(\d{1,5}))?$/) ??
    [];
  const host = bracketed ?? plain;
  if (host === undefined || host.startsWith("-"))
    throw new UsageError(
      `${text || "(empty)"}: not a destination; write [user@]host[:port], IPv6 in brackets`,
    );
  if (Number(port) < 1 || Number(port) > 65_535)
    throw new UsageError(`${text}: not a TCP port; write one from 1 to 65535`);
  return { user, host, port: Number(port) };
}

/** The ed25519 host key that answers there; nothing says yet whose it is. @throws UserError where none does */
export async function scanHostKey({ host, port }: Destination): Promise<string> {
  const scan = ["ssh-keyscan", "-T", "10", "-t", "ed25519", "-p", String(port), host];
  const { stdout, stderr } = await runProcess(scan);
  const [, key] = stdout.match(/^[^#\s]\S* (ssh-ed25519 \S+)$/m) ?? [];
  if (key !== undefined) return key;
  // A connection that is refused is not mentioned there.
  const said = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const why = said.length > 0 ? ` (${said.join("; ")})` : "";
  throw new UserError(
    `${host}: no ed25519 host key on port ${port}${why}: is the name right, is sshd running, and does a firewall let you in?`,
  );
}

/** As `ssh-keygen -l` writes it. */
export function fingerprint(hostKey: string): string {
  const [, blob = ""] = hostKey.split(" ");
  const digest = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

/** The exit code by which the machine says that the user is not root there, and sudo does not help. */
const notRoot = 77;

const script = `set -euo pipefail
[ "$(id -u)" = 0 ] || sudo -n bash -c : </dev/null || exit ${notRoot}
. /etc/os-release
printf '%s\\n%s\\n%s\\n%s\\n' "$PRETTY_NAME" "$(uname -r)" "$(nproc)" \
  "$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)"
ip -json address`;

/** Asks the machine, by its pinned key. @throws UserError where that fails, or the user cannot become root there */
export async function readMachine(destination: Destination, hostKey: string): Promise<Machine> {
  const { host, user } = destination;
  const dial = { timeoutSeconds: 10, attempts: 1 };
  const { sshArguments } = machineReach(
    { dial },
    { name: host, reach: { ...destination, hostKey } },
  );
  const asked = await runProcess(["ssh", ...sshArguments, "bash -s"], { input: script });
  const said = asked.stderr.trim().split("\n").slice(-4).join("\n");
  if (asked.status === notRoot)
    throw new UserError(
      `${host}: ${user} logs in, but cannot become root without a password (${said}): name root@${host}, or allow it there, as root: echo '${user} ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/${user}`,
    );
  if (asked.status !== 0)
    throw new UserError(
      `${host}: cannot be asked as ${user}: ${said || `ssh ended with ${asked.status}`}; the ssh-agent must hold a key that logs in there as ${user} (ssh-add -l)`,
    );
  const [system = "", kernel = "", cpus, memory, ...json] = asked.stdout.split("\n");
  return {
    ...destination,
    ...{ hostKey, system, kernel, cpus: Number(cpus), memoryMebibytes: Number(memory) },
    interfaces: readInterfaces(json.join("\n")),
  };
}

function readInterfaces(json: string): Machine["interfaces"] {
  const links = JSON.parse(json) as {
    ifname: string;
    addr_info: { local: string; prefixlen: number; scope: string }[];
  }[];
  return new Map(
    links
      .map(({ ifname, addr_info }): [string, string[]] => [
        ifname,
        addr_info
          .filter(({ scope }) => scope === "global")
          .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
      ])
      .filter(([, addresses]) => addresses.length > 0),
  );
}
