import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { test as base, expect } from "vitest";
import { step } from "../../plan/step.ts";
import { describeWhere } from "../needs.ts";
import { Machine } from "./machine.ts";

/** A key ring of the test, with an own key for each name. */
interface Keys {
  fingerprint: Record<"upstream" | "mirror", string>;
  /** Public keys of these names in one file. */
  armored(...names: ("upstream" | "mirror")[]): Promise<string>;
}

const test = base.extend<{ machine: Machine; keys: Keys }>({
  keys: [
    // biome-ignore lint/correctness/noEmptyPattern: vitest wants the pattern.
    async ({}, use) => {
      const home = mkdtempSync(join(tmpdir(), "gpg-"));
      const gpg = async (...args: string[]) =>
        (await execa("gpg", ["--homedir", home, "--batch", "--passphrase", "", ...args])).stdout;
      for (const name of ["upstream", "mirror"])
        await gpg("--quick-generate-key", name, "ed25519", "sign", "never");
      const fingerprint = async (name: string) =>
        (await gpg("--list-keys", "--with-colons", name)).match(/^fpr:+(\w+):/m)?.[1] ?? "";
      await use({
        fingerprint: {
          upstream: await fingerprint("upstream"),
          mirror: await fingerprint("mirror"),
        },
        armored: (...names) => gpg("--armor", "--export", ...names),
      });
      await execa("gpgconf", ["--homedir", home, "--kill", "all"]);
      rmSync(home, { recursive: true });
    },
    { scope: "worker" },
  ],
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    machine.addOwnStep("packages");
    // The mirror is a file.
    machine.addProgram(
      "curl",
      'while [[ $1 != --output ]]; do shift; done; cp "$MACHINE/mirror" "$2"',
    );
    machine.addProgram("apt-get", "");
    machine.addProgram("apt-mark", 'if [[ $1 == showhold ]]; then echo "$2"; fi');
    machine.addProgram("dpkg", "");
    machine.addProgram("dpkg-query", 'echo "hi  1.0"');
    await use(machine);
    machine.remove();
  },
});

const document = (fingerprint: string) =>
  step("packages", {
    CLUSTER: "oslo",
    PACKAGES: "kubelet=1.0",
    KEYRINGS: "kubernetes",
    KEY_URL_kubernetes: "https://mirror.example.no/Release.key",
    KEY_FINGERPRINT_kubernetes: fingerprint,
  });
const ring = "etc/apt/keyrings/oslo-cluster-kubernetes.gpg";
const keysOf = async (machine: Machine) =>
  (await execa("gpg", ["--show-keys", "--with-colons", machine.path(ring)])).stdout.match(
    /^pub:/gm,
  );

describeWhere(existsSync("/usr/bin/gpg"), "gpg")("a repository's key", () => {
  test("is installed alone, and is in its place at every check", async ({ machine, keys }) => {
    machine.write("mirror", await keys.armored("upstream"));
    const wanted = document(keys.fingerprint.upstream);
    const { exitCode, stderr } = await machine.oslo("run", wanted);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(await keysOf(machine)).toHaveLength(1);
    expect(await machine.oslo("check", wanted)).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test("is asked for again where a connection was lost", async ({ machine, keys }) => {
    const key = await keys.armored("upstream");
    machine.forget("bin/curl");
    let connections = 0;
    const mirror = createServer((_, response) => response.end(key));
    mirror.on("connection", (socket) => {
      if (++connections === 1) socket.destroy();
    });
    await new Promise<void>((resolve) => mirror.listen(0, "127.0.0.1", resolve));
    const { port } = mirror.address() as { port: number };
    const { vars } = document(keys.fingerprint.upstream);
    const url = { KEY_URL_kubernetes: `http://127.0.0.1:${port}/Release.key` };
    const { exitCode, stderr } = await machine.oslo("run", step("packages", { ...vars, ...url }));
    mirror.close();
    expect({ exitCode, stderr, connections }).toMatchObject({ exitCode: 0, connections: 2 });
  });

  test("with another beside it is refused", async ({ machine, keys }) => {
    for (const both of [
      await keys.armored("upstream", "mirror"),
      `${await keys.armored("upstream")}\n${await keys.armored("mirror")}`,
    ]) {
      machine.write("mirror", both);
      await machine.oslo("run", document(keys.fingerprint.upstream));
      // Either refused, or without the other: gpg reads the first of two blocks alone.
      if (existsSync(machine.path(ring))) expect(await keysOf(machine)).toHaveLength(1);
    }
    machine.write("mirror", await keys.armored("upstream", "mirror"));
    const { exitCode, stderr } = await machine.oslo("run", document(keys.fingerprint.upstream));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`pinned is ${keys.fingerprint.upstream} alone`);
  });

  test("that is another is refused", async ({ machine, keys }) => {
    machine.write("mirror", await keys.armored("mirror"));
    const { exitCode } = await machine.oslo("run", document(keys.fingerprint.upstream));
    expect(exitCode).toBe(1);
    expect(existsSync(machine.path(ring))).toBe(false);
  });

  test("to which one was added later is drift, and is put right", async ({ machine, keys }) => {
    machine.write("mirror", await keys.armored("upstream"));
    const wanted = document(keys.fingerprint.upstream);
    await machine.oslo("run", wanted);
    machine.write(ring, await keys.armored("upstream", "mirror"));
    expect(await machine.oslo("check", wanted)).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining("holds more than the key"),
    });
    expect(await machine.oslo("run", wanted)).toMatchObject({ exitCode: 0 });
    expect(await keysOf(machine)).toHaveLength(1);
  });
});
