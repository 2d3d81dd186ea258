import { createServer } from "node:http";
import { execa } from "execa";
import { afterEach, describe, expect, it, vi } from "vitest";
import { accessProof } from "../../verify/proofs/access.ts";
import { clientAddressProof } from "../../verify/proofs/client-address.ts";
import { datagramsProof } from "../../verify/proofs/datagrams.ts";
import { deniedCallProof } from "../../verify/proofs/denied-call.ts";
import { gatewayStatusProof, routeStatusProof } from "../../verify/proofs/gateway-status.ts";
import { describeOnLinux } from "../needs.ts";
import { type Answers, healthy } from "./healthy.ts";
import { simulated } from "./simulated.ts";
import { run, stopTime, verdictOf } from "./virtual.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Answers this to the first of each question, and what a healthy cluster does to the others. */
function onceNot(part: string, first: string | Error, of = part): Answers[number] {
  const { config, plan } = simulated();
  const usual = healthy(config, plan).find(([asked]) => asked === of);
  const asked = new Set<string>();
  return [
    part,
    (where, question) => {
      const [, answer = ""] = usual ?? [];
      if (asked.has(`${where} ${question}`))
        return typeof answer === "function" ? answer(where, question) : answer;
      asked.add(`${where} ${question}`);
      return first;
    },
  ];
}

const asClient = "client limited() { perl";

describe("a busy cluster keeps the promise", () => {
  it.each([
    [
      "an allowed call that is not answered in time",
      deniedCallProof,
      onceNot("/8080 && read", "silent"),
    ],
    ["a flow that Hubble shows a moment later", deniedCallProof, onceNot("hubble observe", "")],
    [
      "a service that a node does not know yet",
      clientAddressProof,
      onceNot('<&3 && echo "$line"', new Error("connect: Connection refused"), asClient),
    ],
    [
      "a gateway whose conditions are written a moment later",
      gatewayStatusProof,
      onceNot("get gateway external-gateway -o json", "{}", "get gateway"),
    ],
    [
      "a route whose conditions are written a moment later",
      routeStatusProof,
      onceNot("get httproute", "{}"),
    ],
    [
      "a service that a node does not know yet, of datagrams",
      datagramsProof,
      onceNot("dd if=/dev/zero bs=512", "lost", asClient),
    ],
  ] as const)("%s", async (_, proof, sick) => {
    expect(await verdictOf(proof, { sick: [sick] })).toMatchObject({ verdict: "pass" });
  });
});

describeOnLinux("a question without a credential", () => {
  /** What a worker is asked, of a server that ends its first connections. */
  async function said(unanswered: number): Promise<string> {
    stopTime();
    const { asked } = await run([accessProof]);
    vi.useRealTimers();
    const script = asked.find((one) => one.includes("code=$(curl") && !one.includes("/version"));
    let connections = 0;
    const server = createServer((_, response) => response.writeHead(401).end());
    server.on("connection", (socket) => {
      if (++connections <= unanswered) socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const moved = script?.replaceAll("https://127.0.0.1:10250", `http://127.0.0.1:${port}`) ?? "";
    const { stdout } = await execa("bash", { input: moved });
    server.close();
    return stdout.replaceAll(String(port), "PORT");
  }

  it("is asked again where a connection was lost", async () => {
    expect(await said(1)).toBe("");
  });

  it("that nobody answers is no answer without a credential", async () => {
    expect(await said(9)).toBe("http://127.0.0.1:PORT/pods does not answer");
  });
});
