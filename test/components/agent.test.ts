import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { requireAgent } from "../../components/agent.ts";
import { describeWhere } from "../needs.ts";

const folder = mkdtempSync(join(tmpdir(), "agent-"));
const socket = join(folder, "socket");
const installed = spawnSync("ssh-agent", ["-h"]).error === undefined;
const agent = installed && spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });

afterAll(() => {
  if (agent) agent.kill();
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** The environment of a person, whatever other tests put before their PATH. */
function withAgent() {
  const path = (process.env.PATH ?? "").split(":").filter((part) => !part.includes("agent-with"));
  return { SSH_AUTH_SOCK: socket, PATH: path.join(":") };
}

function check(env: Record<string, string> = {}): void {
  for (const [name, value] of Object.entries({ ...withAgent(), ...env })) vi.stubEnv(name, value);
  requireAgent();
}

describeWhere(installed, "ssh-agent")("the operator's ssh-agent", () => {
  it("must be named", () => {
    expect(() => check({ SSH_AUTH_SOCK: "" })).toThrow(/^SSH_AUTH_SOCK is not set: .*ssh-add$/);
  });

  it("must answer", () => {
    const nobody = join(folder, "nobody");
    expect(() => check({ SSH_AUTH_SOCK: nobody })).toThrow(
      `SSH_AUTH_SOCK=${nobody}: no ssh-agent answers there`,
    );
  });

  it("must hold a key, and that is enough", async () => {
    await vi.waitFor(() => expect(() => check()).toThrow(/this ssh-agent holds no key/), 30_000);
    const key = join(folder, "key");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    await execa("ssh-add", ["-q", key], { env: withAgent() });
    expect(() => check()).not.toThrow();
  });

  it("is asked by a program that may be missing", () => {
    expect(() => check({ PATH: folder })).toThrow(/^ssh-add: not on PATH/);
  });
});
