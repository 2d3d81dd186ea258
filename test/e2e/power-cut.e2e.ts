import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { attachArguments, describeHosts, type Host } from "../lab/hosts/host.ts";
import { powerOff } from "../lab/hosts/hosts.ts";
import { runDirectory } from "../lab/paths.ts";
import { startProcess } from "../lab/processes.ts";
import { ensureSegment, hostNamespace, segment } from "../lab/segment.ts";
import { inNamespace, run, waitFor } from "../lab/shell.ts";
import { ensureTools } from "../lab/tools.ts";
import { root } from "../root.ts";

// A lab of its own, whose hosts have no system: a power cut is of the network stack, and of what runs on it.
vi.hoisted(() => {
  process.env.OSLO_LAB_NAME = `oslo-power-${process.pid}`;
});

const port = 6443;
const [dead, other] = describeHosts(["dead", "other"]) as [Host, Host];
const server = `require("net").createServer((socket) => socket.on("error", () => {})).listen(${port}, "0.0.0.0")`;
const alive = { arp: true, ping: true, tcp: "connected" };
const saysSomething = /connected|refused|reset/;
const client = `require("net").connect(${port}, "${dead.address}").on("data", () => {})`;

beforeAll(async () => {
  await ensureTools();
  await ensureSegment();
  for (const host of [dead, other]) await attach(host);
  await serve();
});

afterAll(async () => {
  for (const { name } of [dead, other]) await powerOff(name);
  await run("ip", ["netns", "delete", segment.netns]);
  await rm(runDirectory, { recursive: true });
});

test("a host without power says nothing more, to nobody", async () => {
  const program = [process.execPath, "-e", client];
  await startProcess("client", inNamespace(hostNamespace(other.name), program));
  await waitFor("a connection to the host", 60, connected);
  await waitFor("the host to answer", 60, isAlive);

  await powerOff(dead.name);
  // It was not ended: whoever had it waits.
  expect(await connected()).toBe(true);
  // By those who remember where the host was, and by those who ask for it.
  expect(await tcp()).not.toMatch(saysSomething);
  const silent = { arp: false, ping: false, tcp: expect.not.stringMatching(saysSomething) };
  expect(await answers()).toEqual(silent);
  expect(await connected()).toBe(true);

  await attach(dead);
  await serve();
  await waitFor("the host to answer again", 60, isAlive);
});

async function attach(host: Host): Promise<void> {
  await run("bash", [join(root, "test/lab/hosts/attach-host.sh"), ...attachArguments(host)]);
}

async function serve(): Promise<void> {
  const program = [process.execPath, "-e", server];
  await startProcess("server", inNamespace(hostNamespace(dead.name), program));
  await waitFor("the host's port to be open", 60, async () => (await tcp()) === "connected");
}

/** What the other host hears, also where it has forgotten where the first one is. */
async function answers() {
  await onOther("ip", "neighbour", "flush", "dev", "eth0");
  const once = ["-c", "1", "-w", "2"];
  return {
    arp: await hears("arping", ...once, "-I", "eth0", dead.address),
    ping: await hears("ping", ...once, dead.address),
    tcp: await tcp(),
  };
}

const isAlive = async () => isDeepStrictEqual(await answers(), alive);

/** How an attempt to connect ends within two seconds. */
function tcp(): Promise<string> {
  const attempt = `timeout 2 bash -c '</dev/tcp/${dead.address}/${port}' 2>&1 && echo connected || true`;
  return onOther("bash", "-c", attempt);
}

/** Whether the other host's kernel knows an open connection to it. */
async function connected(): Promise<boolean> {
  const filter = ["state", "established", "dst", `${dead.address}:${port}`];
  return (await onOther("ss", "--tcp", "--numeric", "--no-header", ...filter)) !== "";
}

function onOther(...line: string[]): Promise<string> {
  const [command = "", ...args] = inNamespace(hostNamespace(other.name), line);
  return run(command, args);
}

function hears(...line: string[]): Promise<boolean> {
  return onOther(...line).then(
    () => true,
    () => false,
  );
}
