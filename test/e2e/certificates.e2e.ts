import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { waitFor } from "../lab/shell.ts";
import { LoopbackControlPlane } from "./loopback.ts";

// Renewal by the script that the timer runs, with a real etcd, API server, scheduler and kubeadm: certificates of an hour.

const plane = new LoopbackControlPlane();
plane.validity = "1h";
const { machine } = plane;
const hour = 3_600_000;
const readyz = "https://10.99.0.1:6443/readyz";

const etcds = ["server", "peer", "healthcheck-client"].map(
  (name) => `etc/kubernetes/pki/etcd/${name}.crt`,
);
const apiServer = "etc/kubernetes/pki/apiserver.crt";
const files = [
  ...etcds,
  ...["apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client"].map(
    (name) => `etc/kubernetes/pki/${name}.crt`,
  ),
  apiServer,
  ...["controller-manager", "scheduler", "admin"].map((name) => `etc/kubernetes/${name}.conf`),
];

beforeAll(async () => {
  balancer();
  for (const script of ["turn.sh", "certificates.sh", "renewal-turn.sh", "renew-certificates.sh"])
    machine.install(script);
  machine.write("state/cluster", "");
  await plane.start();
  for (const name of ["controller-manager", "scheduler"])
    await plane.run(
      ...["kubeadm", "init", "phase", "kubeconfig", name],
      ...["--config", machine.path("etc/oslo-cluster/kubeadm-init.yaml")],
      ...["--kubeconfig-dir", machine.path("etc/kubernetes")],
    );
  plane.putManifest("kube-scheduler", "v1.36.3", []);
  await waitFor("the scheduler", 60, async () => {
    const url = "https://127.0.0.1:10259/healthz";
    return (await plane.attempt("curl", "-sfk", "-o", "/dev/null", url)).exitCode === 0;
  });
});

afterAll(() => plane.remove());

/** The balancer's socket: the one API server is in rotation while it is ready. */
function balancer(): void {
  machine.addProgram(
    "socat",
    `state=DOWN
curl -sfk --max-time 2 -o /dev/null ${readyz} && state=UP
echo "# pxname,svname"
echo "control-planes,cp-1,,,,,,,,,,,,,,,,$state,"`,
  );
}

const renew = (before: number, ...words: string[]) =>
  plane.attempt(
    ...["env", "NODE=cp-1", `READYZ=${readyz}`, `RENEW_BEFORE=${before}`],
    ...["bash", machine.path("lib/renew-certificates.sh"), ...words],
  );

function certificate(file: string): X509Certificate {
  if (!file.endsWith(".conf")) return new X509Certificate(machine.read(file));
  const { users } = parse(machine.read(file)) as { users: { user: Record<string, string> }[] };
  const data = users[0]?.user["client-certificate-data"] ?? "";
  return new X509Certificate(Buffer.from(data, "base64"));
}

const serials = () => files.map((file) => certificate(file).serialNumber);

/** The process of a static pod. */
function processOf(name: string): string | undefined {
  const task = machine.read("tasks").split("\n");
  return task.find((line) => line.startsWith(`${name} `))?.split(" ")[1];
}

/** Every certificate fits its key, and what runs has read it. */
async function whole(): Promise<void> {
  const { stdout, exitCode } = await renew(60, "list");
  expect(exitCode).toBe(0);
  const lines = stdout.split("\n");
  expect(lines.filter((line) => !/^\d+ \/\S+$/.test(line))).toEqual([]);
  // And the CAs.
  expect(lines).toHaveLength(files.length + 3);
}

describe("a control plane whose certificates last an hour", () => {
  it("is left alone while they are long enough", async () => {
    const before = serials();
    const { exitCode, all } = await renew(600);
    expect(all).toContain("no certificate ends within 0 h");
    expect(exitCode).toBe(0);
    expect(serials()).toEqual(before);
  });

  it("gets new ones for all, and API and etcd answer with them", {
    timeout: 1_800_000,
  }, async () => {
    const before = serials();
    const pods = ["etcd", "kube-scheduler", "kube-apiserver"].map(processOf);
    const names = certificate(apiServer).subjectAltName;
    const prober = probe();
    const began = Date.now();
    const { exitCode, all } = await renew(4000);
    const ended = Date.now();
    const gap = await prober.end();
    expect(all).toContain("certificates are renewed on cp-1");
    expect(exitCode).toBe(0);
    for (const [i, serial] of serials().entries()) expect(serial).not.toBe(before[i]);
    for (const file of files) {
      const made = Date.parse(certificate(file).validTo) - hour;
      // To the second.
      expect(made).toBeGreaterThan(began - 1000);
      expect(made).toBeLessThan(ended + 1000);
    }
    expect(certificate(apiServer).subjectAltName).toBe(names);
    await whole();
    // Etcd reads files again, the others do not, or not all.
    expect(processOf("etcd")).toBe(pods[0]);
    expect(processOf("kube-scheduler")).not.toBe(pods[1]);
    expect(processOf("kube-apiserver")).not.toBe(pods[2]);
    console.log(`renewal of everything on one control plane: API away for ${gap.toFixed(1)} s`);
    // Of one control plane, whose API server restarts: elsewhere the balancers choose another.
    expect(gap).toBeLessThan(60);
    const { stdout } = await plane.kubectl("get", "--raw", "/readyz");
    expect(stdout).toBe("ok");
  });

  it("restarts what runs with former certificates, whoever has renewed them", async () => {
    await plane.run("touch", machine.path("etc/kubernetes/scheduler.conf"));
    expect((await renew(600, "list")).stdout).toMatch(/^former kube-scheduler$/m);
    const { all } = await renew(600);
    expect(all).toContain("restart kube-scheduler");
    expect(all).not.toContain("restart kube-apiserver");
    await whole();
  });

  it("repairs a certificate beside another key, which nobody could read", async () => {
    machine.write(
      "etc/kubernetes/pki/etcd/server.key",
      machine.read("etc/kubernetes/pki/etcd/peer.key"),
    );
    expect((await renew(600, "list")).stdout).toMatch(/^broken \S+\/etcd\/server$/m);
    const { all, exitCode } = await renew(600);
    expect(all).toContain("renew etcd-server");
    expect(exitCode).toBe(0);
    await whole();
  });

  it("waits for nobody's turn but its own", async () => {
    const holder = await turnOf("cp-2");
    const before = serials();
    const { all } = await renew(4000);
    expect(all).toContain("cp-2 renews certificates; cp-1 does when it has ended");
    expect(serials()).toEqual(before);
    await holder.end();
    // Of a run of its own that was killed.
    await turnOf("cp-1");
    expect((await renew(4000)).all).toContain("certificates are renewed on cp-1");
  });

  it("does not touch anything while another control plane is away, unless they end soon", async () => {
    machine.addProgram(
      "socat",
      "echo control-planes,cp-2,,,,,,,,,,,,,,,,DOWN,\necho control-planes,cp-1,,,,,,,,,,,,,,,,UP,",
    );
    const lib = machine.read("lib/renewal-turn.sh");
    machine.write("lib/renewal-turn.sh", lib.replace("wait_until 120", "wait_until 3"));
    const before = serials();
    const { exitCode, all } = await renew(4000);
    expect(exitCode).toBe(1);
    expect(all).toContain("the balancer sends nothing to cp-2");
    expect(serials()).toEqual(before);
    const urgent = await renew(20_000);
    expect(urgent.all).toContain("certificates end soon: etcd is renewed all the same");
    expect(urgent.exitCode).toBe(0);
    for (const [i, serial] of serials().entries()) expect(serial).not.toBe(before[i]);
  });
});

describe("a turn that is kept, as by a control plane that leaves", () => {
  /** What another one that asks for it is given: the exit code, and who has it. */
  const asked = async () => {
    const line = `${turns()}; take_turn leave cp-2 60; echo "$? $turn_holder"; end_turn`;
    return (await plane.attempt("bash", "-uc", line)).stdout;
  };

  it("outlives its lease, and ends with the run that has it, however that ends", async () => {
    const line = `${turns()}; take_turn leave cp-1 8; echo $$ >"$MACHINE/holder"; keep_turn 1 & wait`;
    const holder = plane.attempt("bash", "-euc", `exec >/dev/null 2>&1; ${line}`);
    await waitFor("it to be taken", 60, () => machine.read("holder") !== "");
    const until = performance.now() + 12_000;
    while (performance.now() < until) expect(await asked()).toBe("1 cp-1");
    process.kill(Number(machine.read("holder")), "SIGKILL");
    await holder;
    await waitFor("it to be free", 30, async () => (await asked()).startsWith("0"));
  });
});

describe("a run that is killed", { timeout: 1_800_000 }, () => {
  beforeAll(balancer);

  // At so many calls of the program by the script.
  it.each([
    ["kubeadm", 1],
    ["kubeadm", 5],
    ["mv", 1],
    ["mv", 5],
    ["tail", 1],
    ["tail", 2],
    ["curl", 8],
  ] as const)("by %s, call %i, is taken up again", async (program, call) => {
    const found = await plane.run("bash", "-c", `PATH=\${PATH#*:}; command -v ${program}`);
    machine.write("calls", "");
    machine.addProgram(
      program,
      `echo >>"$MACHINE/calls"
if [[ $(wc -l <"$MACHINE/calls") == ${call} ]]; then kill -9 $(pgrep -f "$MACHINE/lib/renew-certificates.sh"); fi
exec ${found.stdout.trim()} "$@"`,
    );
    const killed = await renew(4000, "now");
    machine.forget(`bin/${program}`);
    expect(killed.exitCode).not.toBe(0);
    const { exitCode, all } = await renew(600);
    expect(all).not.toMatch(/^error:/m);
    expect(exitCode).toBe(0);
    await plane.apiReady();
    await whole();
  });
});

/** A bash with what a turn needs. */
const turns = () =>
  ["lib.sh", "etcd.sh", "turn.sh"]
    .map((name) => `source ${machine.path(`lib/${name}`)}`)
    .join("; ");

/** Takes the turn in etcd, as another control plane does. */
async function turnOf(node: string) {
  const source = turns();
  const { stdout } = await plane.run(
    "bash",
    "-euc",
    `${source}; take_turn certificates ${node} 1800; echo "$turn"`,
  );
  return { end: () => plane.run("bash", "-euc", `${source}; turn=${stdout}; end_turn`) };
}

/** Asks the API server again and again; answers the longest time without an answer, in seconds. */
function probe() {
  let isOver = false;
  const asked = (async () => {
    let [last, longest] = [Date.now(), 0];
    while (!isOver) {
      const { exitCode } = await plane.attempt(
        ...["curl", "-sfk", "--max-time", "2", "-o", "/dev/null", readyz],
      );
      const now = Date.now();
      longest = Math.max(longest, now - last);
      if (exitCode === 0) last = now;
    }
    return longest / 1000;
  })();
  return {
    end: () => {
      isOver = true;
      return asked;
    },
  };
}
