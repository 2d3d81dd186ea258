import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { root } from "../root.ts";
import { stackFiles } from "../stacks.ts";
import { Graph } from "./graph.ts";
import { runProgram } from "./program.ts";

const input = readFileSync(join(root, "components/cluster/endpoint.mjs"), "utf8");
const check = (...args: string[]) =>
  execa("node", ["--input-type=module", "-", ...args], { input, reject: false });

describe("the API server's address, from the operator's machine", () => {
  const server = createServer();
  let [open, closed] = ["", ""];
  const portOf = () => String((server.address() as { port: number }).port);
  beforeAll(async () => {
    const listen = () => new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    await listen();
    closed = portOf();
    await new Promise((done) => server.close(done));
    await listen();
    open = portOf();
  });
  afterAll(() => void server.close());

  it.each([
    ["taken", () => open],
    ["refused", () => closed],
  ])("a connection that is %s is one that arrives", async (_, port) => {
    expect(await check("127.0.0.1", port(), "true")).toMatchObject({ exitCode: 0, stderr: "" });
  });

  // A group's address: the kernel connects to none, and nothing leaves this machine.
  it.each([
    ["a control plane's", "true", 1],
    ["another's, such as a load balancer's", "false", 0],
  ])("one that does not arrive: %s address", async (_, isMachine, exitCode) => {
    const result = await check("224.0.0.1", "6443", isMachine);
    expect(result).toMatchObject({ exitCode });
    expect(result.stderr).toMatch(
      /^cluster\.endpoint: 224\.0\.0\.1, port 6443: this machine does not reach it \(.+\)\. .*set cluster\.endpoint\.host/,
    );
  });

  it("a name that nobody has is a fault, whose ever it is", async () => {
    const result = await check("api.invalid", "6443", "false");
    expect(result).toMatchObject({ exitCode: 1 });
    expect(result.stderr).toContain("no such name");
  });
});

it.each([
  ["articles", "6443 true"],
  ["two-nodes", "8443 false"],
] as const)("%s: is tried before a control plane is made", async (stack, ending) => {
  vi.resetModules();
  const graph = new Graph((await runProgram(stackFiles[stack])).resources);
  expect(graph.get("endpoint").inputs.create).toMatch(new RegExp(` ${ending}$`));
  expect(graph.resources.find(({ name }) => name.endsWith("-control-plane"))?.dependencies).toEqual(
    expect.arrayContaining([graph.get("endpoint").urn]),
  );
});
