import { randomInt } from "node:crypto";
import { connect, createServer, type Server } from "node:net";

/** Below those that the kernel gives to whoever connects, as an API server does a hundred times before it listens. */
const range = { from: 20_000, to: 32_000 };

/** Ports of the loopback interface that nobody listens on, and that nobody gets by chance before the caller takes them. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(range.from, range.to);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    held.push(server);
    ports.push(port);
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
