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
  /** How often it was asked for that. */
  asked: number;
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
          api.asked++;
          // As it was when the question came: a check that is being answered belongs to the time before.
          const { milliseconds, status } = ready;
          setTimeout(() => response.writeHead(status).end(), milliseconds);
        });
        const sockets = new Set<Duplex>();
        const api: Api = { server, sockets, ready, asked: 0 };
        server.on("connection", (socket) => {
          sockets.add(socket);
          socket.once("close", () => sockets.delete(socket));
        });
        await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
        apis.push(api);
      }
      writeFileSync(join(folder, "haproxy.cfg"), configuration(folder));
      balancer = spawn("haproxy", ["-db", "-f", join(folder, "haproxy.cfg")], { stdio: "inherit" });
      // They count as ready from the start, until their first checks have ended.
      await waitFor("a second check of each", 60, () => apis.every(({ asked }) => asked > 1));
      await waitFor("all to be found ready", 60, isWhole);
    }, 600_000);

    afterAll(() => {
      balancer?.kill();
      for (const { server, sockets } of apis) {
        for (const socket of sockets) socket.destroy();
        server.close();
      }
      rmSync(folder, { recursive: true });
    });

    test("keeps what it carries while every API server waits for a leader of etcd", async () => {
      await unlessPaused(async () => {
        await waitFor("all to be found ready", 60, isWhole);
        const [cut, paused] = await pausesOf(cutByElection);
        return { paused, judge: () => expect(cut).toBe(0) };
      });
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
      await waitFor("all to be found not ready", 60, async () => (await up()).length === 0);
      await expect(ask()).rejects.toThrow();
      for (const { ready } of apis) Object.assign(ready, { status: 200 });
      await waitFor("all to be found ready", 60, isWhole);
      const answer = await waitFor("an answer", 60, () => ask().catch(() => undefined));
      expect(ports.map(String)).toContain(answer);
    });

    test("cuts what hangs on a server that hangs within 5 s, and nothing else", async () => {
      await unlessPaused(async () => {
        await waitFor("all to be found ready", 60, isWhole);
        const idle = await idleConnections();
        const begin = performance.now();
        const wake = hang(apis[0] as Api);
        const [seconds, paused] = await pausesOf(async () => {
          await waitFor("a connection to be cut", 60, () => idle.some((one) => one.destroyed));
          return (performance.now() - begin) / 1000;
        });
        const cut = idle.filter(({ destroyed }) => destroyed).length;
        wake();
        for (const socket of idle) socket.destroy();
        console.log(
          `cut after ${seconds.toFixed(1)} s, of them ${paused.toFixed(1)} s without a turn`,
        );
        const judge = () => {
          expect(seconds - paused).toBeLessThan(5);
          expect(cut).toBeLessThan(idle.length);
        };
        return { paused, judge };
      });
    });

    /** Has a server take connections and say nothing in them. @returns what has it answer again */
    function hang({ server, sockets }: Api): () => void {
      const events = ["secureConnection", "connection"] as const;
      const former = events.map((event) => server.rawListeners(event) as (() => void)[]);
      for (const event of events) server.removeAllListeners(event);
      const held = (socket: Socket) => {
        sockets.add(socket);
        socket.on("error", () => {});
      };
      server.on("connection", held);
      return () => {
        server.off("connection", held);
        for (const [i, event] of events.entries())
          for (const listener of former[i] ?? []) server.on(event, listener);
        for (const socket of sockets) socket.destroy();
        sockets.clear();
      };
    }

    /** Connections that send nothing, so many that each server has some; once the balancer has led all of them on. */
    async function idleConnections(): Promise<Socket[]> {
      const open = () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect(balancerPort, "127.0.0.1", () => resolve(socket));
          // Whoever is cut off is reset.
          socket.on("error", reject);
          socket.resume();
        });
      let idle: Socket[] = [];
      await waitFor("each server to have some", 60, async () => {
        // One whose server was found not ready, for want of a processor, is cut before all are there.
        idle = idle.filter(({ destroyed }) => !destroyed);
        while (idle.length < 3 * ports.length) idle.push(await open());
        const sessions = (await up()).map((server) => Number(server[4]));
        const isEach = sessions.length === ports.length && sessions.every((count) => count > 0);
        return isEach && sum(sessions) >= idle.length;
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

/** What happens while this process waits so many seconds for a processor is no finding, so many times. */
const [longPause, mostTimes] = [0.3, 20];

/** Tries again what fails while these servers themselves are not run: that is no answer of theirs. */
async function unlessPaused(attempt: () => Promise<{ paused: number; judge: () => void }>) {
  for (let times = 1; ; times++) {
    const { paused, judge } = await attempt();
    try {
      return judge();
    } catch (error) {
      if (paused <= longPause || times >= mostTimes) throw error;
    }
  }
}

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
