import { type IncomingMessage, Agent as PlainAgent, request as plain } from "node:http";
import { request as secure, Agent as TlsAgent } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Seen } from "./backends.ts";

export interface Asked {
  host: string;
  path: string;
  /** @default GET */
  method?: string;
  /** @default none */
  headers?: Readonly<Record<string, string>>;
  /** By HTTPS, with the host as the server's name. @default false */
  tls?: boolean;
}

export interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  /** Absent where the gateway itself answered. */
  seen?: Seen;
  /** Subject of the certificate that the gateway showed. */
  certificate?: string;
}

/** Connections to one gateway. */
export class Client {
  private readonly plain = new PlainAgent({ keepAlive: true, maxSockets: 8 });
  // Its certificates are of nobody; a resumed session would show none.
  private readonly tls = new TlsAgent({
    ...{ keepAlive: true, maxSockets: 8, rejectUnauthorized: false, maxCachedSessions: 0 },
  });
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  ask({ host, path, method = "GET", headers = {}, tls = false }: Asked): Promise<Answer> {
    const options = { host: "127.0.0.1", port: this.port, path, method };
    const all = { ...headers, Host: host };
    return new Promise((resolve, reject) => {
      const asked = tls
        ? secure({ ...options, headers: all, agent: this.tls, servername: host })
        : plain({ ...options, headers: all, agent: this.plain });
      asked.once("error", reject).once("response", (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (part) => {
          body += part;
        });
        const { subject } = tls ? (response.socket as TLSSocket).getPeerCertificate() : {};
        response.once("error", reject).once("end", () => {
          const { statusCode: status = 0, headers } = response;
          const seen = status === 200 ? { seen: JSON.parse(body) as Seen } : {};
          resolve({
            status,
            headers,
            ...seen,
            ...(subject ? { certificate: String(subject.CN) } : {}),
          });
        });
      });
      asked.end();
    });
  }

  close(): void {
    this.plain.destroy();
    this.tls.destroy();
  }
}
