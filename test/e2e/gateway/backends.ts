import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What a backend answers: who it is, and the request's headers as they reached it. */
export interface Seen {
  backend: string;
  /** By name in lower case. */
  headers: Record<string, string[] | undefined>;
}

/** Headers of every backend's answer, for a route to change. */
export const ownHeaders = { "Strict-Transport-Security": "max-age=1", "X-Powered-By": "backend" };

export interface Backends {
  /** @param service namespace/name:port */
  portOf(service: string): number | undefined;
  stop(): void;
}

/** An HTTP server on the loopback interface for each service. */
export async function startBackends(services: readonly string[]): Promise<Backends> {
  const servers = new Map<string, Server>();
  for (const backend of services) {
    const server = createServer(({ headersDistinct }, answer) => {
      answer.writeHead(200, ownHeaders);
      answer.end(JSON.stringify({ backend, headers: headersDistinct } satisfies Seen));
    });
    // Never closes a connection in which Envoy is about to ask.
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.set(backend, server);
  }
  return {
    portOf: (service) => (servers.get(service)?.address() as AddressInfo | undefined)?.port,
    stop() {
      for (const server of servers.values()) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}
