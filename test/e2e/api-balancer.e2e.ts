import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { waitFor } from "../lab/shell.ts";
import { describeWhere } from "../needs.ts";
import { node, stack } from "../stack.ts";

const ports = [17001, 17002, 17003];
const balancerPort = 17443;
const haproxy = spawnSync("haproxy", ["-v"]);

/** An API server, as far as the balancer sees it. */
interface Api {
  server: Server;
  sockets: Set<Duplex>;
  /** Answers /readyz after so long with a status. */
  ready: { milliseconds: number; status: number };
}

describeWhere(haproxy.error === undefined, "haproxy")(
  "haproxy with the nodes' configuration",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "balancer-"));
    const apis: Api[] = [];
    let balancer: ChildProcess;

    beforeAll(async () => {
      const pair = ["-keyout", join(folder, "key"), "-out", join(folder, "crt")];
      await execa("openssl", [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=api",
        "-days",
        "2",
        ...pair,
      ]);
      const [key, cert] = ["key", "crt"].map((name) => readFileSync(join(folder, name)));
      for (const port of ports) {
        const ready = { milliseconds: 0, status: 200 };
        const server = createServer({ key, cert }, (asked, response) => {
          if (asked.url !== "/readyz") return void response.end(String(port));
          // As it was when the question came: a check that is being answered belongs to the time before.
          const { milliseconds, status } = ready;
          setTimeout(() => response.writeHead(status).end(), milliseconds);
        });
        const sockets = new Set<Duplex>();
        server.on("connection", (socket) => {
          sockets.add(socket);
          socket.once("close", () => sockets.delete(socket));
        });
        await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
        apis.push({ server, sockets, ready });
      }
      writeFileSync(join(folder, "haproxy.cfg"), configuration(folder));
      balancer = spawn("haproxy", ["-db", "-f", join(folder, "haproxy.cfg")], { stdio: "inherit" });
      await waitFor("all to be found ready", 30, () => isWhole().catch(() => false));
      // They count as ready from the start, until their first checks have ended.
      await pause(3000);
      expect(await up()).toHaveLength(ports.length);
    }, 120_000);

    afterAll(() => {
      balancer?.kill();
      for (const { server, sockets } of apis) {
        for (const socket of sockets) socket.destroy();
        server.close();
      }
      rmSync(folder, { recursive: true });
    });

    test("keeps what it carries while every API server waits for a leader of etcd", async () => {
      // What happens while these servers themselves are not run is no answer of theirs: then once more.
      for (let times = 1; ; times++) {
        await waitFor("all to be found ready", 30, isWhole);
        const [cut, paused] = await pausesOf(cutByElection);
        if (paused > 0.3 && cut > 0 && times < 10) continue;
        expect(cut).toBe(0);
        break;
      }
    });

    /** How many idle connections are cut where no API server is ready for as long as etcd's default clock may take. */
    async function cutByElection(): Promise<number> {
      const idle = await idleConnections();
      for (const { ready } of apis) Object.assign(ready, { milliseconds: 2000, status: 500 });
      await pause(2000);
      for (const { ready } of apis) Object.assign(ready, { milliseconds: 0, status: 200 });
      await pause(3000);
      const cut = idle.filter(({ destroyed }) => destroyed).length;
      for (const socket of idle) socket.destroy();
      return cut;
    }

    test("asks no API server that is not ready, and all that are when they are", async () => {
      for (const { ready } of apis) Object.assign(ready, { milliseconds: 0, status: 500 });
      await waitFor("all to be found not ready", 30, async () => (await up()).length === 0);
      await expect(ask()).rejects.toThrow();
      for (const { ready } of apis) Object.assign(ready, { status: 200 });
      await waitFor("all to be found ready", 30, isWhole);
      expect(ports.map(String)).toContain(await ask());
    });

    test("cuts what hangs on a server that hangs within 5 s, and nothing else", async () => {
      const idle = await idleConnections();
      const [hung] = apis as [Api];
      hung.server.removeAllListeners("secureConnection");
      hung.server.removeAllListeners("connection");
      hung.server.on("connection", (socket) => {
        hung.sockets.add(socket);
        socket.on("error", () => {});
      });
      const [seconds, paused] = await pausesOf(async () => {
        const start = performance.now();
        await waitFor("a connection to be cut", 20, () => idle.some(({ destroyed }) => destroyed));
        return (performance.now() - start) / 1000;
      });
      console.log(
        `cut after ${seconds.toFixed(1)} s, of them ${paused.toFixed(1)} s without a turn`,
      );
      expect(seconds - paused).toBeLessThan(5);
      expect(idle.filter(({ destroyed }) => destroyed).length).toBeLessThan(idle.length);
      for (const socket of idle) socket.destroy();
    });

    /** Connections that send nothing, so many that each server has some; once the balancer has led all of them on. */
    async function idleConnections(): Promise<Socket[]> {
      const open = () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect(balancerPort, "127.0.0.1", () => resolve(socket));
          // Whoever is cut off is reset.
          socket.on("error", reject);
          socket.resume();
        });
      const idle = await Promise.all(Array.from({ length: 3 * ports.length }, open));
      await waitFor("each server to have some", 30, async () => {
        const sessions = (await up()).map((server) => Number(server[4]));
        return sessions.every((count) => count > 0) && sum(sessions) >= idle.length;
      });
      return idle;
    }

    const isWhole = async () => (await up()).length === ports.length;

    /** The servers that the balancer counts as ready: of each the fields that it has, as the fifth its sessions. */
    async function up(): Promise<string[][]> {
      const socket = connect(join(folder, "admin.sock"));
      socket.end("show stat\n");
      let text = "";
      for await (const part of socket) text += part;
      return text
        .split("\n")
        .filter((line) => /^control-planes,node-/.test(line) && /,UP/.test(line))
        .map((line) => line.split(","));
    }
  },
);

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

/** What something answers, and the longest time, in seconds, in which this process had no turn meanwhile. */
async function pausesOf<T>(what: () => Promise<T>): Promise<[T, number]> {
  const delays = monitorEventLoopDelay({ resolution: 20 });
  delays.enable();
  const answer = await what();
  delays.disable();
  return [answer, delays.max / 1e9];
}

/** The plan's own, moved to where this test has its servers. */
function configuration(folder: string): string {
  const nodes = ports.map((_, i) => node(i, "control-plane"));
  const config = loadConfig(stack({ "nodes.existing": nodes }), "test");
  const { files } = plan(config).nodes[0]?.steps["api-balancer"] ?? {};
  let text = files?.["/etc/oslo-cluster/haproxy.cfg"] ?? "";
  text = text.replace(/^ {2}bind .*::1.*\n/m, "").replace(":7443", `:${balancerPort}`);
  text = text.replace("/run/oslo-cluster-api/admin.sock", join(folder, "admin.sock"));
  ports.forEach((port, i) => {
    text = text.replaceAll(`10.10.0.${11 + i}:6443`, `127.0.0.1:${port}`);
  });
  return text;
}

function ask(): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port: balancerPort, rejectUnauthorized: false, agent: false, path: "/" },
      (response) => {
        let text = "";
        response.on("data", (data) => {
          text += data;
        });
        response.once("end", () => resolve(text));
      },
    );
    asked.once("error", reject);
    asked.end();
  });
}

async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
