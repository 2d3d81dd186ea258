import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { runInLab } from "../lab/command.ts";
import { chooseEngine, type Engine, forgetState } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { runDirectory } from "../lab/paths.ts";
import { waitFor } from "../lab/shell.ts";
import { stackFile, writeStackFile } from "../lab/stack.ts";
import { ensureVault, type Vault } from "../lab/vault.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { labOf, saveKubeconfig } from "../lab/verification/verify.ts";
import { takeDown } from "./bring-up.ts";
import { expectWhole, type Identity, identity, nodesReady, slowEtcd } from "./stacked.ts";
import { unchanged } from "./unchanged.ts";

const minutes = 60_000;
const identityFile = join(runDirectory, "operator.age");
/** How often a restore is killed, each time one operation later. @default 3; OSLO_LAB_RESTORE_KILLS overrides it */
const kills = Number(process.env.OSLO_LAB_RESTORE_KILLS ?? 3);
const secretValue = "squirrel-in-the-snow";

let facts: infrastructure.LabFacts;
let vault: Vault;
let engine: Engine;
let lab: Lab;

/** Brings the lab to these hosts, and the stack to them; `up` is the test's. */
async function use(hosts: readonly string[]): Promise<void> {
  facts = await infrastructure.up({ hosts });
  vault = await ensureVault();
  const recipient = execFileSync("age-keygen", ["-y", identityFile], { encoding: "utf8" }).trim();
  writeStackFile(facts, (config) => {
    slowEtcd(config);
    config.backup = { recipients: [recipient], targets: [vault.target] };
  });
  engine = await chooseEngine(facts);
  lab = labOf(facts, engine);
}

async function up(): Promise<void> {
  await engine.up();
  await saveKubeconfig(engine);
  const { backupKeys } = await engine.outputs();
  await vault.letIn(Object.values(backupKeys as Record<string, string>));
}

/** What an operator runs. Whoever is asked and is not there says nothing. */
const etcd = (verb: string, ...words: string[]) =>
  runInLab(facts, ["etcd", verb, stackFile, ...words]);

const fromCopy = () => ["--from", vault.target.name, "--identity", identityFile];

/** Restores to the end; answers its seconds until the API answered, and until all was done. */
async function restore(...words: string[]) {
  const { exitCode, all } = await etcd("restore", "--yes", ...words);
  console.log(all);
  expect(exitCode).toBe(0);
  const seconds = (pattern: RegExp) => Number(all?.match(pattern)?.[1] ?? 0);
  return {
    answered: seconds(/the API answered after ([\d.]+) s/),
    whole: seconds(/restored in ([\d.]+) s/),
  };
}

/** The same, killed at one operation after the other until `kills` are used up. */
async function restoreKilled(...words: string[]) {
  for (let nth = 1; nth <= kills; nth++) {
    const run = etcd("restore", "--yes", ...words);
    let begun = 0;
    run.stderr?.on("data", (data: Buffer) => {
      begun += data.toString().match(/^\[\d+\/\d+\] /gm)?.length ?? 0;
      // One operation is let through, so that the next run begins later.
      if (begun >= 2) run.kill("SIGKILL");
    });
    const { all } = await run;
    console.log(`kill ${nth}:\n${all}`);
    if (begun < 2) break;
  }
  return restore(...words);
}

const configmap = (name: string) =>
  lab.kubectl("get", "configmap", name, "--ignore-not-found", "-o", "name");

/** etcd's data on a control plane is gone, and nothing brings it back. */
async function wipe(plane: string): Promise<void> {
  const script = `systemctl stop kubelet
for name in etcd kube-apiserver; do
  for id in $(ctr -n k8s.io containers ls -q "labels.\\"io.kubernetes.container.name\\"==$name"); do
    ctr -n k8s.io tasks kill -s KILL "$id" 2>/dev/null
  done
done
while pgrep -x etcd >/dev/null; do read -r -t 0.2 <> <(:); done
rm -rf /var/lib/etcd/member
systemctl start kubelet`;
  await lab.onHost(plane, script);
}

/** Objects of before a copy, and the copy itself. */
async function copied(name: string): Promise<void> {
  await lab.kubectl("create", "configmap", `${name}-before`);
  const { exitCode, all } = await etcd("backup");
  expect(all).toContain("cp-1: copied");
  expect(exitCode).toBe(0);
}

/** Objects of after it, with a pod that runs on the worker; answers the revision then. */
async function sinceCopy(name: string) {
  await lab.kubectl("create", "configmap", `${name}-after`);
  const pod = {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: `${name}-late` } },
    spec: {
      nodeName: "worker-1",
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "pause", image: "registry.k8s.io/pause:3.10.2" }],
    },
  };
  const apply = `kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f - <<'END'\n${JSON.stringify(pod)}\nEND`;
  await lab.onHost("cp-1", apply);
  await lab.kubectl("wait", "--for=condition=Ready", "--timeout=120s", `pod/${name}-late`);
  const revision = await lab.kubectl(
    ...["get", "configmap", `${name}-after`, "-o", "jsonpath={.metadata.resourceVersion}"],
  );
  return revision;
}

/** What came after the copy is gone, and everybody knows. */
async function goneSince(name: string, revision: string) {
  expect(await configmap(`${name}-before`)).toBe(`configmap/${name}-before`);
  expect(await configmap(`${name}-after`)).toBe("");
  // A watch from a revision of before is refused, so that its client lists again.
  const watch = `/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=${revision}&timeoutSeconds=10`;
  expect(await lab.kubectl("get", "--raw", watch)).toContain('"code":410');
  await waitFor("the pod of a deleted object to end", 120, async () => {
    const label = `labels."io.kubernetes.pod.name"==${name}-late`;
    return (await lab.onHost("worker-1", `ctr -n k8s.io containers ls -q '${label}'`)) === "";
  });
  const secret = ["get", "secret", "canary", "-o", "jsonpath={.data.value}"];
  expect(Buffer.from(await lab.kubectl(...secret), "base64").toString()).toBe(secretValue);
}

beforeAll(async () => {
  await infrastructure.down();
  await forgetState();
  execFileSync("mkdir", ["-p", runDirectory]);
  execFileSync("age-keygen", ["-o", identityFile], { stdio: "ignore" });
  await use(["cp-1", "worker-1"]);
  await up();
  await lab.kubectl("create", "secret", "generic", "canary", `--from-literal=value=${secretValue}`);
}, 80 * minutes);

afterAll(takeDown, 2 * minutes);

describe("a single control plane", () => {
  const all = ["cp-1", "worker-1"];

  test("that lives is refused, and a dry run touches nothing", {
    timeout: 5 * minutes,
  }, async () => {
    await nodesReady(lab, all);
    const { exitCode, all: said } = await etcd("restore", "--dry-run");
    expect(said).toMatch(
      /^cp-1: etcd has quorum and serves cluster [0-9a-f-]{36}: there is nothing to restore/,
    );
    expect(exitCode).toBe(1);
    const { uid } = await identity(lab);
    const dry = await etcd("restore", "--dry-run", "--replace", uid);
    expect(dry.stdout).toMatch(
      /1\. cp-1: save a snapshot.*\n2\. cp-1: restore etcd from its own snapshot/,
    );
    expect(dry.exitCode).toBe(0);
    const unasked = await etcd("restore", "--replace", uid);
    expect(unasked).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("nothing was touched"),
    });
    await nodesReady(lab, all);
  });

  test("its data lost: back from the target within 90 s", { timeout: 20 * minutes }, async () => {
    const born = await identity(lab);
    await copied("one");
    const late = await sinceCopy("one");
    await wipe("cp-1");
    const missing = await etcd("restore", "--yes");
    expect(missing.all).toContain("name a copy, --from TARGET or --file FILE");
    const { answered, whole } = await restore(...fromCopy());
    console.log(`1+1 from the target: answers after ${answered} s, whole after ${whole} s`);
    expect(answered).toBeLessThan(90);
    await nodesReady(lab, all);
    await goneSince("one", late);
    expect(await identity(lab)).toEqual(born);
  });

  test("killed at its operations, it is taken up", { timeout: 30 * minutes }, async () => {
    await copied("killed");
    const late = await sinceCopy("killed");
    await wipe("cp-1");
    await restoreKilled(...fromCopy());
    await nodesReady(lab, all);
    await goneSince("killed", late);
  });

  test("the next up has nothing to do", { timeout: 15 * minutes }, async () => {
    await up();
    expect(await engine.up()).toMatchObject(unchanged);
  });

  test("nothing of a copy is in the state, in logs, or in files that others may read", {
    timeout: 10 * minutes,
  }, async () => {
    const planted = await plant("cp-1");
    expect(await leaksOn("cp-1", planted)).toEqual([]);
    const state = await engine.exportedState();
    expect(planted.filter((text) => state.includes(text))).toEqual([]);
    // The search itself finds what is there to be found.
    await lab.onHost(
      "cp-1",
      `cp /etc/kubernetes/pki/sa.key /var/tmp/open && chmod 644 /var/tmp/open`,
    );
    expect(await leaksOn("cp-1", planted)).toEqual(["/var/tmp/open"]);
    await lab.onHost("cp-1", "rm /var/tmp/open");
  });
});

/** Lines that only a copy's content has: of the keys, of the encryption's key, and a Secret's value. */
async function plant(plane: string): Promise<string[]> {
  const lines = await lab.onHost(
    plane,
    "cd /etc/kubernetes; for f in pki/ca.key pki/sa.key pki/front-proxy-ca.key pki/etcd/ca.key; do sed -n 3p $f; done; sed -n 's/^ *secret: *//p' encryption/config.yaml",
  );
  return [...lines.trim().split("\n"), secretValue, Buffer.from(secretValue).toString("base64")];
}

/** Where they are found: the journal, logs, and files that are open to others. */
async function leaksOn(host: string, planted: readonly string[]): Promise<string[]> {
  const script = `umask 077
cat >/root/planted <<'END'
${planted.join("\n")}
END
trap 'rm -f /root/planted' EXIT
{ find / -xdev -type f -perm -004 -size -64M -print0; find /var/log -type f -print0; } |
  xargs -0 grep -lsaFf /root/planted | sort -u || true
if journalctl --no-pager 2>/dev/null | grep -qaFf /root/planted; then echo journal; fi`;
  return (await lab.onHost(host, script)).trim().split("\n").filter(Boolean);
}

describe("three control planes", () => {
  const planes = ["cp-1", "cp-2", "cp-3"];
  const all = [...planes, "worker-1"];
  let born: Identity;

  beforeAll(async () => {
    born = await identity(lab);
    // Addresses follow the order, and the worker keeps its own.
    await use(["cp-1", "worker-1", "cp-2", "cp-3"]);
    await up();
    await nodesReady(lab, all);
  }, 40 * minutes);

  const isWhole = () => expectWhole(lab, planes, ["worker-1"], born);

  test("two lose their data: back from the survivor's, and nothing is lost", {
    timeout: 30 * minutes,
  }, async () => {
    await lab.kubectl("create", "configmap", "newest");
    await wipe("cp-1");
    await wipe("cp-2");
    const { answered, whole: seconds } = await restore();
    console.log(`3+1 from a survivor: answers after ${answered} s, whole after ${seconds} s`);
    expect(answered).toBeLessThan(300);
    await isWhole();
    expect(await configmap("newest")).toBe("configmap/newest");
  });

  test("all three lose their data: back from the target's copy, killed on the way", {
    timeout: 40 * minutes,
  }, async () => {
    await copied("three");
    const late = await sinceCopy("three");
    for (const plane of planes) await wipe(plane);
    const start = performance.now();
    await restoreKilled(...fromCopy());
    console.log(`3+1 from the target, killed: ${Math.round((performance.now() - start) / 1000)} s`);
    await isWhole();
    await goneSince("three", late);
  });

  test("all machines of control planes gone: new ones, with other addresses, from the target", {
    timeout: 60 * minutes,
  }, async () => {
    await copied("new");
    const late = await sinceCopy("new");
    // One after the other: each makes the host keys that are missing.
    for (const plane of planes) await infrastructure.rebuildHost(plane);
    // The same names, and each has the address of another.
    for (const plane of planes) await infrastructure.stopHost(plane);
    await use(["cp-2", "worker-1", "cp-3", "cp-1"]);
    // Before any machine is touched.
    await expect(engine.up()).rejects.toThrow(/every control plane .*OSLO_CLUSTER_RESTORE=yes/s);
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("OSLO_CLUSTER_RESTORE", "yes");
    vi.stubEnv("OSLO_CLUSTER_ABANDON", planes.join(","));
    await expect(engine.up()).rejects.toThrow("prepared, and no cluster is begun");
    vi.stubEnv("OSLO_CLUSTER_ABANDON", undefined);
    const { answered, whole: seconds } = await restore(...fromCopy());
    console.log(`new machines: answers after ${answered} s, whole after ${seconds} s`);
    await up();
    vi.unstubAllEnvs();
    await isWhole();
    await goneSince("new", late);
    expect(await engine.up()).toMatchObject(unchanged);
  });
});
