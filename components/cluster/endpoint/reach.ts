import { lookup } from "node:dns/promises";
import { connect, type TLSSocket } from "node:tls";

/** Where the API server is to be found. */
export interface Target {
  host: string;
  port: number;
  /** Addresses of control planes, with their names. */
  controlPlanes: Record<string, string>;
}

/** Who may answer: certificates in PEM, and of whom. */
export type Trusted = readonly { name: string; certificate: string }[];

/** Why it cannot be used, and what to do; both without a full stop. */
export interface Refusal {
  why: string;
  fix: string;
}

/** A connection may take so long, in milliseconds. */
const connectionMilliseconds = 5000;
/**
 * Load balancers look after their backends each few seconds. Nobody looks after a control plane's own address, but a
 * machine that remembers another holder of it needs 8 s to find that out.
 */
const patienceSeconds = { controlPlanes: 20, others: 60 };

/**
 * Connects to every address of a host until control planes answer, as kubectl and Pulumi will.
 * @param seconds How long to try. @default 20 for addresses of control planes, else 60
 * @returns who answered by address, or why nobody can use it. An address of a name that does not answer
 *   is only said: clients take the next.
 */
export async function reach(
  target: Target,
  trusted: Trusted,
  say: (line: string) => void = () => {},
  seconds?: number,
): Promise<{ reached: Record<string, string> } | Refusal> {
  const addresses = await lookup(target.host, { all: true }).catch((error: Error) => error);
  if (addresses instanceof Error) {
    return {
      why: `this machine does not resolve it (${codeOf(addresses)})`,
      fix: "create the name, or give an address",
    };
  }
  const texts = [...new Set(addresses.map(({ address }) => address))];
  const own = texts.every((address) => address in target.controlPlanes);
  const patience = seconds ?? (own ? patienceSeconds.controlPlanes : patienceSeconds.others);
  const until = performance.now() + 1000 * patience;
  const answers = await Promise.all(
    texts.map(
      async (address) => [address, await patiently(address, target, trusted, until)] as const,
    ),
  );
  const reached = answers.filter(([, answer]) => typeof answer === "string");
  const refused = answers.flatMap(([address, answer]) =>
    typeof answer === "string" ? [] : [{ address, ...answer }],
  );
  const stranger = refused.find(({ isStranger }) => isStranger) ?? refused[0];
  if (stranger && (stranger.isStranger || reached.length === 0)) {
    const of = stranger.address === target.host ? "" : `${stranger.address}: `;
    return { why: `${of}${stranger.why}`, fix: stranger.fix };
  }
  for (const { address, why } of refused) {
    say(`${target.host} is also ${address}: ${why}; clients lose time there`);
  }
  return { reached: Object.fromEntries(reached) as Record<string, string> };
}

type Answer = string | (Refusal & { isStranger?: boolean });

async function patiently(address: string, target: Target, trusted: Trusted, until: number) {
  while (true) {
    const answer = await once(address, target, trusted);
    if (typeof answer === "string" || performance.now() > until) return answer;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Who answers at an address. */
function once(
  address: string,
  { host, port, controlPlanes }: Target,
  trusted: Trusted,
): Promise<Answer> {
  const node = controlPlanes[address];
  return new Promise((resolve) => {
    let connected = false;
    const socket: TLSSocket = connect({
      ...{ host: address, port, rejectUnauthorized: false },
      ca: trusted.map(({ certificate }) => certificate),
      // A name that is an address is none to ask for.
      ...(host === address ? {} : { servername: host }),
    });
    const end = (answer: Answer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(
      () => end(explain(connected ? "ESILENT" : "ETIMEDOUT", port, node)),
      connectionMilliseconds,
    );
    socket.on("connect", () => {
      connected = true;
    });
    socket.on("secureConnect", () => {
      const { raw, subject, issuer } = socket.getPeerCertificate();
      if (!isTrusted(socket)) {
        const names = `${subject?.CN ?? "no name"}, by ${issuer?.CN ?? "nobody"}`;
        return end({
          isStranger: true,
          why: `a stranger answers, with the certificate of ${names}`,
          fix: node
            ? `end what answers in the place of ${node} on port ${port}`
            : "a load balancer must pass TCP through to the control planes and end no TLS; or correct the address",
        });
      }
      const one = trusted.find(({ certificate }) => derOf(certificate).equals(raw));
      end(one?.name ?? "a control plane");
    });
    socket.on("error", (error) => end(explain(connected ? "ESILENT" : codeOf(error), port, node)));
    socket.on("end", () => end(explain("ESILENT", port, node)));
  });
}

/** The chain alone: a certificate for a new name comes later than the name. */
function isTrusted(socket: TLSSocket): boolean {
  const error = socket.authorizationError as unknown as string | undefined;
  return socket.authorized || codeOf(error) === "ERR_TLS_CERT_ALTNAME_INVALID";
}

function explain(code: string, port: number, node: string | undefined): Refusal {
  const who = node ?? "it";
  const route =
    "give this machine a way there (kubectl and Pulumi connect by themselves, not through ssh.bastion), or give a name or a load balancer that it reaches";
  switch (code) {
    case "ECONNREFUSED":
      return {
        why: `${who} refuses connections to port ${port} (${code})`,
        fix: node
          ? `open port ${port} of the control planes to this machine`
          : `have the load balancer listen on port ${port}, with every control plane's port ${port} behind it; one that refuses may find no backend healthy`,
      };
    case "ESILENT":
      return {
        why: `${who} takes connections to port ${port} and does not speak TLS`,
        fix: `let TCP pass through to port ${port} of every control plane; a health check is GET /readyz over TLS, or TCP`,
      };
    case "ETIMEDOUT":
      return {
        why: `no answer from port ${port} within ${connectionMilliseconds / 1000} s: something drops packets`,
        fix: `open port ${port} to this machine; or ${route}`,
      };
    default:
      return { why: `this machine does not reach it (${code})`, fix: route };
  }
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
}

function codeOf(error: unknown): string {
  if (typeof error === "string") return error;
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return code ?? message ?? "";
}
