import { randomInt } from "node:crypto";
import { connect, createServer, type Server } from "node:net";

/** Below those that the kernel gives to whoever connects, as an API server does a hundred times before it listens. */
const range = { from: 20_000, to: 32_000 };

/** Files run side by side: each of the processes that vitest starts has ports of its own. */
const own = { of: 8, nth: Number(process.env.VITEST_POOL_ID ?? 0) % 8 };
const given = new Set<number>();

/** Ports of the loopback interface that nobody listens on, and that nobody gets by chance before the caller takes them. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const port = own.of * randomInt(range.from / own.of, range.to / own.of) + own.nth;
    if (given.has(port)) continue;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    held.push(server);
    ports.push(port);
    given.add(port);
  }
  await Promise.all(held.map((one) => new Promise((resolve) => one.close(resolve))));
  return ports;
}

/** Does anybody listen on a port of the loopback interface? */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
