import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Input } from "../../components/cluster/endpoint/try.ts";
import { renderStep, step } from "../../plan/step.ts";
import { waitFor } from "../lab/shell.ts";
import { ensureTools } from "../lab/tools.ts";
import { root } from "../root.ts";
import { Vlan } from "./vlan/vlan.ts";

const planes = ["cp-1", "cp-2", "cp-3"];
const vlan = new Vlan();

beforeAll(async () => {
  await ensureTools();
  await vlan.up({
    "cp-1": "10.10.0.11",
    "cp-2": "10.10.0.12",
    "cp-3": "10.10.0.13",
    "worker-1": "10.10.0.14",
    balancer: "10.10.0.20",
    operator: "10.10.0.30",
  });
  for (const name of [...planes, "worker-1"]) {
    const { machine } = vlan.host(name);
    for (const script of ["document.sh", "endpoint.sh", "neighbour.sh"]) machine.install(script);
  }
});

afterEach(async () => {
  await vlan.filter("");
  for (const name of planes) await nothingListens(name);
});

afterAll(() => vlan.down());

/**
 * The operator's side, as the program starts it, but for ssh.
 * @param seconds How long it tries. @default as long as the program does
 */
function start(
  host: string,
  virtualAddress?: string,
  seconds?: number,
): ResultPromise<{ reject: false }> {
  const nodes = [...planes, ...(virtualAddress ? ["worker-1"] : [])];
  const taking = virtualAddress && { ADDRESS: virtualAddress, INTERFACE: "eth0" };
  const input: Input = {
    ...{ host, port: 6443, ...(virtualAddress ? { virtualAddress } : {}) },
    controlPlanes: Object.fromEntries(planes.map((name) => [vlan.host(name).address, name])),
    nodes: nodes.map((name) => ({
      ...{ name, isControlPlane: planes.includes(name) },
      command: vlan.host(name).command(vlan.host(name).machine.path("lib/oslo-step"), "endpoint"),
      document: renderStep(
        step("endpoint", { CLUSTER: "oslo", NODE: name, PORT: 6443, ...(taking || {}) }),
      ),
    })),
  };
  const path = join(root, "components/cluster/endpoint/try.ts");
  const [program = "", ...args] = vlan.host("operator").command(process.execPath, path);
  // The machines' own systemd-run is first in PATH: it runs at once.
  const bin = vlan.host("cp-1").machine.path("bin");
  return execa(program, args, {
    input: JSON.stringify(input),
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      ...(seconds === undefined ? {} : { OSLO_CLUSTER_ENDPOINT_SECONDS: String(seconds) }),
    },
    reject: false,
  });
}

/** What it says where it refuses; it has no need to try for long. */
async function refusal(host: string, virtualAddress?: string): Promise<string> {
  const { exitCode, stderr, stdout } = await start(host, virtualAddress, 3);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  return String(stderr);
}

async function listens(name: string): Promise<void> {
  await waitFor(`somebody to listen on ${name}`, 60, async () => (await listeners(name)) !== "");
}

async function nothingListens(name: string): Promise<void> {
  await waitFor(`nothing to listen on ${name}`, 60, async () => (await listeners(name)) === "");
}

const listeners = (name: string) => vlan.host(name).run("ss", "-Hltn", "sport = :6443");

/** A load balancer with health checks as people have them. */
async function balance(lines: string): Promise<{ end(): Promise<void> }> {
  const balancer = vlan.host("balancer");
  const file = balancer.machine.path("haproxy.cfg");
  const servers = planes.map((name) => `  server ${name} ${vlan.host(name).address}:6443`);
  writeFileSync(
    file,
    `defaults
  timeout connect 1s
  timeout check 5s
  timeout client 10s
  timeout server 10s
frontend api
${lines}
  default_backend planes
backend planes
  mode tcp
  option httpchk GET /readyz
  http-check expect status 200
  default-server check check-ssl verify none inter 500ms fall 2 rise 1
${servers.join("\n")}
`,
  );
  const process = balancer.start("haproxy", "-f", file);
  await listens("balancer");
  return {
    end: async () => {
      process.kill();
      await process;
    },
  };
}

describe("cluster.endpoint is tried out before there is an API server", {
  timeout: 900_000,
}, () => {
  test("a control plane's own address", async () => {
    const { exitCode, stdout, stderr } = await start("10.10.0.12");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(String(stdout))).toEqual({ "10.10.0.12": "cp-2" });
  });

  test("a load balancer that looks at /readyz and passes TCP through", async () => {
    const balancer = await balance("  mode tcp\n  bind :6443");
    const { exitCode, stdout } = await start("10.10.0.20");
    await balancer.end();
    expect(exitCode).toBe(0);
    expect(JSON.parse(String(stdout))["10.10.0.20"]).toMatch(/^cp-[123]$/);
  });

  test("a load balancer that ends TLS itself", async () => {
    const balancer = vlan.host("balancer");
    const pem = balancer.machine.path("pem");
    await execa("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
      ...["-nodes", "-subj", "/CN=edge", "-keyout", `${pem}.key`, "-out", pem],
    ]);
    const made = await balance(`  mode tcp\n  bind :6443 ssl crt ${pem}`);
    const said = await refusal("10.10.0.20");
    await made.end();
    expect(said).toBe(
      "error: cluster.endpoint.host: 10.10.0.20: a stranger answers, with the certificate of edge, by edge; a load balancer must pass TCP through to the control planes and end no TLS; or correct the address",
    );
  });

  test("a load balancer that does not listen, and one without a backend", async () => {
    expect(await refusal("10.10.0.20")).toMatch(
      /it refuses connections to port 6443 \(ECONNREFUSED\); have/,
    );
    await vlan.filter('oifname { "cp-1", "cp-2", "cp-3" } ip saddr 10.10.0.20 drop');
    const balancer = await balance("  mode tcp\n  bind :6443");
    expect(await refusal("10.10.0.20")).toMatch(/does not speak TLS; let TCP pass through/);
    await balancer.end();
  });

  test("a firewall before the operator, and no way at all", async () => {
    await vlan.filter('iifname "operator" tcp dport 6443 drop');
    expect(await refusal("10.10.0.11")).toMatch(
      /^error: cluster.endpoint.host: 10.10.0.11: no answer from port 6443 within 5 s: .*; open port 6443 to this machine; or give/,
    );
    expect(await refusal("192.0.2.1")).toMatch(
      /this machine does not reach it \(ENETUNREACH\); give/,
    );
    expect(await refusal("10.10.0.99")).toMatch(
      /10.10.0.99: (this machine does not reach it|no answer)/,
    );
  });

  test("a name that does not resolve", async () => {
    expect(await refusal("api.invalid")).toMatch(/api.invalid: this machine does not resolve it/);
  });

  test("a port that something else has taken is named, on every control plane", async () => {
    const others = ["cp-1", "cp-3"].map((name) =>
      vlan.host(name).start("socat", "TCP-LISTEN:6443,fork,reuseaddr", "EXEC:true"),
    );
    for (const name of ["cp-1", "cp-3"]) await listens(name);
    const said = await refusal("10.10.0.11");
    for (const process of others) process.kill();
    await Promise.all(others);
    expect(said).toMatch(/error: cluster.endpoint.port: 6443: taken on cp-1 by users:\(\("socat"/);
    expect(said).toMatch(/error: cluster.endpoint.port: 6443: taken on cp-3 by /);
  });

  test("killed, it leaves nothing on the control planes", async () => {
    await vlan.filter('iifname "operator" tcp dport 6443 drop');
    const running = start("10.10.0.11");
    await listens("cp-1");
    running.kill("SIGKILL");
    await running;
    for (const name of planes) await nothingListens(name);
  });

  test("where there is a cluster, its own API server is asked, and nobody plays one", async () => {
    const { machine } = vlan.host("cp-1");
    const [ca, pem, key] = ["etc/kubernetes/pki/ca.crt", "api.pem", "ca.key"].map((file) =>
      machine.path(file),
    ) as [string, string, string];
    machine.write("state/cluster", "");
    machine.write("etc/kubernetes/pki/.made", "");
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    await execa("openssl", [
      "req",
      "-x509",
      ...ec,
      "-subj",
      "/CN=kubernetes",
      "-keyout",
      key,
      "-out",
      ca,
    ]);
    await execa("openssl", [
      ...["req", "-x509", "-CA", ca, "-CAkey", key, ...ec],
      ...["-subj", "/CN=kube-apiserver", "-addext", "subjectAltName=DNS:kubernetes"],
      ...["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", `${pem}.key`, "-out", pem],
    ]);
    const server = vlan
      .host("cp-1")
      .start(
        ...["openssl", "s_server", "-accept", "6443", "-cert", pem, "-key", `${pem}.key`, "-quiet"],
      );
    await listens("cp-1");
    const { exitCode, stdout, stderr } = await start("10.10.0.11");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(String(stdout))).toEqual({ "10.10.0.11": "a control plane" });
    // A control plane that is about to join does not play one: balancers would take it. It is asked once it has joined.
    const joining = await start("10.10.0.12");
    expect(joining).toMatchObject({ exitCode: 0, stdout: "{}" });
    expect(joining.stderr).toMatch(/10\.10\.0\.12 is of cp-2, which is to join/);
    expect(await listeners("cp-2")).toBe("");
    server.kill();
    await server;
    machine.forget("state/cluster");
    machine.forget("etc/kubernetes/pki/ca.crt");
  });
});

describe("a virtual address is tried out on the VLAN", { timeout: 900_000 }, () => {
  const address = "10.10.0.10";
  /** What a provider's port lets its machine send: its own address alone. */
  const own = (name: string) => {
    const { address: mine } = vlan.host(name);
    return {
      arp: `iifname "${name}" arp saddr ip != ${mine} drop`,
      ip: `iifname "${name}" ip saddr != ${mine} drop`,
    };
  };

  afterEach(async () => {
    for (const name of planes) {
      expect(await vlan.host(name).run("ip", "-o", "address", "show", "to", address)).toBe("");
    }
  });

  test("where every control plane may take it", async () => {
    const { exitCode, stderr } = await start(address, address);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  test("where a worker has outlived all control planes, by the new ones alone", async () => {
    const { machine } = vlan.host("worker-1");
    machine.write("state/cluster", "");
    machine.write("etc/kubernetes/pki/ca.crt", "of the cluster that is to be restored");
    const { exitCode, stderr } = await start(address, address);
    machine.forget("state/cluster");
    machine.forget("etc/kubernetes/pki/ca.crt");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  test("a port that drops ARP with a foreign address is refused", async () => {
    await vlan.filter(own("cp-2").arp);
    expect(await refusal(address, address)).toMatch(
      /^error: cluster.endpoint.virtualAddress.address: 10.10.0.10: held by cp-2, it is not found by cp-1 on the VLAN: ARP .* is dropped; end anti-spoofing .* on the port of cp-2, or allow 10.10.0.10 there/,
    );
  });

  test("a port that drops packets from a foreign address is refused", async () => {
    await vlan.filter(own("cp-3").ip);
    expect(await refusal(address, address)).toMatch(
      /held by cp-3, it does not answer cp-1: packets from it, or to it, are dropped; end anti-spoofing/,
    );
  });

  test("a network that drops announcements is refused", async () => {
    await vlan.filter("arp saddr ip 10.10.0.10 arp daddr ip 10.10.0.10 drop");
    // Nobody corrects who has it by an answer to somebody's question: by an announcement alone.
    for (const host of vlan.hosts.values()) {
      await host.run("sysctl", "-qw", "net.ipv4.neigh.eth0.locktime=6000");
    }
    expect(await refusal(address, address)).toMatch(
      /taken by cp-[12], it stays with another machine to \S+: announcements \(gratuitous ARP\) are dropped/,
    );
  });

  test("an address that another machine has is refused", async () => {
    expect(await refusal("10.10.0.20", "10.10.0.20")).toMatch(
      /10.10.0.20: another machine has it, [0-9a-f:]{17} on the VLAN; give an address that nobody has/,
    );
  });

  test("killed as one has it, nobody has it any more", async () => {
    await vlan.filter(own("cp-1").ip);
    const running = start(address, address);
    await waitFor("cp-1 to have it", 60, async () => {
      return (await vlan.host("cp-1").run("ip", "-o", "address", "show", "to", address)) !== "";
    });
    running.kill("SIGKILL");
    await running;
    await waitFor("it to be gone", 20, async () => {
      return (await vlan.host("cp-1").run("ip", "-o", "address", "show", "to", address)) === "";
    });
  });
});
