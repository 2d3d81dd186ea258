import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { waitFor } from "../lab/shell.ts";
import { ensureTools } from "../lab/tools.ts";
import { root } from "../root.ts";
import { node, stack } from "../stack.ts";
import { lasting } from "./api-gap.ts";
import { type Host, Vlan } from "./vlan/vlan.ts";
import { Watch } from "./vlan/watch.ts";

/** Seconds: until clients are answered again, and that two may have the address. */
const bounds = { gap: 5, holders: 4 };
const address = "10.10.0.10";
const seconds = 1000;
const planes = ["node-0", "node-1", "node-2"];
const vlan = new Vlan();
const cluster = plan(
  loadConfig(
    stack({
      "nodes.existing": planes.map((_, i) => node(i, "control-plane")),
      "network.vlan.interface": "eth0",
      "cluster.endpoint.virtualAddress": { address },
    }),
    "test",
  ),
);
type Change = (text: string) => string;
const unchanged: Change = (text) => text;

type Process = ResultPromise<{ reject: false }>;
/** Of each control plane its API server and its keepalived. */
const api = new Map<string, Process>();
const daemons = new Map<string, Process>();
const watch = new Watch(address);

beforeAll(async () => {
  await ensureTools();
  await vlan.up({
    ...Object.fromEntries(planes.map((name, i) => [name, `10.10.0.${11 + i}`])),
    operator: "10.10.0.30",
  });
  const pem = vlan.host("operator").machine.path("pem");
  await execa("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    ...["-nodes", "-subj", "/CN=api", "-keyout", `${pem}.key`, "-out", pem],
  ]);
  for (const name of planes) {
    const host = vlan.host(name);
    host.machine.install("virtual-address-check.sh");
    const others = planes.filter((one) => one !== name).map((one) => vlan.host(one).address);
    const script = join(root, "test/e2e/vlan/api-server.mjs");
    const own = [name, pem, `${pem}.key`, host.address];
    api.set(name, prompt(host, process.execPath, script, ...own, ...others));
    watch.follow(name, prompt(host, ...Watch.monitor));
  }
  const script = join(root, "test/e2e/vlan/client.mjs");
  watch.ask(prompt(vlan.host("operator"), process.execPath, script, address));
}, 60 * seconds);

beforeEach(() => begin(), 120 * seconds);
afterEach(() => end(), 120 * seconds);
afterAll(() => vlan.down());

/** Before what else the machine does: seconds are measured. */
function prompt(host: Host, ...command: string[]): Process {
  return host.start("nice", "-n", "-15", ...command);
}

/** Every control plane runs keepalived as the plan has it, but for a change; one has the address. */
async function begin(change = unchanged) {
  await end();
  watch.forget();
  for (const name of planes) startKeepalived(name, change);
  await answering();
  // From its first look on, the address ends by itself; beside much other work it may have ended once.
  await pause(2 * seconds);
  await waitFor("one to have the address", 60, () => watch.holders().length === 1);
}

function startKeepalived(name: string, change = unchanged): void {
  const host = vlan.host(name);
  const text = cluster.nodes.find((one) => one.name === name)?.steps["virtual-address"]?.files[
    "/etc/oslo-cluster/keepalived.conf"
  ];
  const conf = host.machine.path("keepalived.conf");
  const library = host.machine.path("lib");
  const runtime = host.machine.path("runtime");
  mkdirSync(runtime, { recursive: true });
  writeFileSync(
    conf,
    change(text ?? "")
      .replaceAll("/usr/local/lib/oslo-cluster", library)
      .replaceAll("/run/oslo-cluster-virtual-address", runtime),
  );
  const files = ["keepalived", "vrrp"].map((file) => host.machine.path(`${file}.pid`));
  daemons.set(
    name,
    prompt(
      ...[host, "keepalived", "--dont-fork", "--log-console", "--vrrp", `--use-file=${conf}`],
      ...[`--pid=${files[0]}`, `--vrrp_pid=${files[1]}`],
    ),
  );
}

async function end(): Promise<void> {
  await vlan.filter("");
  for (const name of planes) {
    await vlan.cable(name, "up");
    await signal(name, "CONT");
    api.get(name)?.kill("SIGCONT");
    daemons.get(name)?.kill("SIGTERM");
    await daemons.get(name);
    await vlan
      .host(name)
      .run("sh", "-c", `ip address delete ${address}/32 dev eth0 2>/dev/null || true`);
  }
}

async function answering(): Promise<void> {
  const since = Date.now();
  await waitFor("an answer at the virtual address", 60, () => watch.hasAnsweredSince(since));
}

/** Both processes of keepalived. */
async function signal(name: string, what: string): Promise<void> {
  await vlan
    .host(name)
    .run(
      "sh",
      "-c",
      `kill -${what} $(cat ${vlan.host(name).machine.path("*.pid")}) 2>/dev/null || true`,
    );
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** How whoever has the address loses it, and how that is undone. */
const losses: Record<
  string,
  { lose: (holder: string) => unknown; back: (holder: string) => unknown }
> = {
  "its machine vanishes": {
    lose: (holder) => vlan.cable(holder, "down"),
    back: (holder) => vlan.cable(holder, "up"),
  },
  "its API server hangs": {
    lose: (holder) => kill(holder, "SIGSTOP"),
    back: (holder) => kill(holder, "SIGCONT"),
  },
  "its API server is not ready": {
    lose: (holder) => kill(holder, "SIGUSR2"),
    back: (holder) => kill(holder, "SIGUSR2"),
  },
  "its keepalived is killed": {
    lose: (holder) => signal(holder, "KILL"),
    back: (holder) => startKeepalived(holder),
  },
  "its keepalived hangs": {
    lose: (holder) => signal(holder, "STOP"),
    back: (holder) => signal(holder, "CONT"),
  },
  "the VLAN splits between it and the others": {
    lose: (holder) => split(holder),
    back: () => vlan.filter(""),
  },
};

/** nsenter and nice became the process itself. */
function kill(name: string, what: NodeJS.Signals): void {
  api.get(name)?.kill(what);
}

/** The operator is on the side of most. */
async function split(holder: string): Promise<void> {
  await vlan.filter(`iifname "${holder}" drop; oifname "${holder}" drop`);
}

/** Loses whoever has the address, and later brings it back. */
async function tryOut(name: string): Promise<{ gap: number; together: number; moved: boolean }> {
  const loss = losses[name];
  const [holder] = watch.holders();
  if (loss === undefined || holder === undefined) throw new Error(`no ${name}, or no holder`);
  const from = Date.now();
  await loss.lose(holder);
  await pause(9 * seconds);
  const lost = lasting(watch.gap(from));
  await loss.back(holder);
  await pause(9 * seconds);
  return { gap: lost, together: watch.together(), moved: watch.holders()[0] !== holder };
}

describe("one control plane has the virtual address", { timeout: 120 * seconds }, () => {
  test("and one alone", async () => {
    await pause(3 * seconds);
    expect(watch.holders()).toHaveLength(1);
    expect(watch.together()).toBeLessThanOrEqual(bounds.holders);
  });

  test.for(Object.keys(losses))("where %s another takes it, and keeps it", async (name) => {
    const result = await tryOut(name);
    console.log(
      `${name}: no answer for ${result.gap.toFixed(1)} s, two holders for ${result.together.toFixed(1)} s`,
    );
    expect(result.moved).toBe(true);
    expect(watch.holders()).toHaveLength(1);
    expect(result.gap).toBeLessThanOrEqual(bounds.gap);
    expect(result.together).toBeLessThanOrEqual(bounds.holders);
  });
});

test("while etcd elects and nobody is ready, who has the address keeps it", {
  timeout: 120 * seconds,
}, async () => {
  const [holder] = watch.holders();
  for (const name of planes) kill(name, "SIGUSR2");
  await pause(9 * seconds);
  for (const name of planes) kill(name, "SIGUSR2");
  const from = Date.now();
  await pause(3 * seconds);
  expect(lasting(watch.gap(from))).toBeLessThanOrEqual(1);
  expect(watch.everyHolder()).toEqual([holder]);
});

/** What each line of the configuration is there for: without it a bound is not kept. */
const mutations: [what: string, loss: string, change: Change][] = [
  [
    "no look at the API server",
    "its API server hangs",
    (text) => text.replace(/ {2}track_script \{[^}]*\}\n/, ""),
  ],
  [
    "the look of kubeadm's example, 10 times each 3 s",
    "its API server is not ready",
    (text) => text.replace("interval 1", "interval 3").replace(/fall \d+/, "fall 10"),
  ],
  [
    "a look at the port instead of /readyz",
    "the VLAN splits between it and the others",
    (text) =>
      text
        .replace(/virtual-address-check\.sh.*"/, 'none.sh"')
        .replace(/"\/usr\/bin\/bash.*"/, '"/usr/bin/true"'),
  ],
  [
    "an address that does not end by itself",
    "its keepalived hangs",
    (text) =>
      text.replace(
        /\/usr\/bin\/bash \S+ \S+ \S+ \S+ (\S+) [^"]*"/,
        '/usr/bin/curl -sfk -m 0.9 -o /dev/null $1"',
      ),
  ],
];

describe("its bounds are noticed when they are broken", { timeout: 180 * seconds }, () => {
  test.for(mutations)("%s", async ([what, loss, change]) => {
    await begin(change);
    const result = await tryOut(loss);
    console.log(
      `${what}: no answer for ${result.gap.toFixed(1)} s, two holders for ${result.together.toFixed(1)} s`,
    );
    const kept = result.gap <= bounds.gap && result.together <= bounds.holders;
    expect(kept).toBe(false);
  });
});
