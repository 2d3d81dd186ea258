import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { test as base, expect } from "vitest";
import { describeOnLinux } from "../needs.ts";
import { root } from "../root.ts";

/** A set as a node packs it, in a folder, with what else the test needs. */
class Copy {
  readonly folder = mkdtempSync(join(tmpdir(), "unpack-set-"));
  readonly set = this.make("set");
  readonly unpacked = this.make("unpacked");

  constructor() {
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    this.write("pki/ca.crt", "");
    const pair = ["-keyout", join(this.folder, "ca.key"), "-out", join(this.set, "pki/ca.crt")];
    execFileSync("openssl", ["req", "-x509", ...ec, "-subj", "/CN=kubernetes", ...pair], {
      stdio: "ignore",
    });
    this.write("snapshot.db", "data");
    this.sign(["pki/ca.crt", "snapshot.db"]);
  }

  private make(name: string): string {
    mkdirSync(join(this.folder, name));
    return join(this.folder, name);
  }

  write(name: string, content: string): void {
    mkdirSync(dirname(join(this.set, name)), { recursive: true });
    writeFileSync(join(this.set, name), content);
  }

  sign(names: string[], key = "ca.key"): void {
    const digest = (name: string) =>
      createHash("sha256")
        .update(readFileSync(join(this.set, name)))
        .digest("hex");
    const files = Object.fromEntries(names.map((name) => [name, digest(name)]));
    this.write("set.json", JSON.stringify({ files }));
    const out = ["-out", join(this.set, "set.json.sig"), join(this.set, "set.json")];
    execFileSync("openssl", ["dgst", "-sha256", "-sign", join(this.folder, key), ...out]);
  }

  /** What the script says of it, on a disk with so many bytes free. */
  async unpack({ free = 1e6, input = this.pack() } = {}) {
    const bin = this.make("bin");
    writeFileSync(join(bin, "df"), `#!/bin/sh\necho Avail\necho ${free}\n`);
    chmodSync(join(bin, "df"), 0o755);
    const { stdout, exitCode } = await execa(
      "bash",
      [join(root, "steps/unpack-set.sh"), this.unpacked],
      { input, env: { PATH: `${bin}:${process.env.PATH}` }, reject: false },
    );
    return { exitCode, stdout };
  }

  pack(...how: string[]): Buffer {
    return execFileSync("tar", ["-czf", "-", ...how, "-C", this.set, "."], { maxBuffer: 2 ** 30 });
  }

  /** Bytes on disk. */
  size(): number {
    return readdirSync(this.unpacked, { recursive: true, encoding: "utf8" })
      .map((name) => statSync(join(this.unpacked, name)).blocks * 512)
      .reduce((sum, bytes) => sum + bytes, 0);
  }
}

const test = base.extend<{ copy: Copy }>({
  copy: async ({ task: _ }, use) => {
    const copy = new Copy();
    await use(copy);
    rmSync(copy.folder, { recursive: true });
  },
});

describeOnLinux("a decrypted copy", () => {
  test("that is what its cluster has packed is unpacked", async ({ copy }) => {
    expect(await copy.unpack()).toEqual({ exitCode: 0, stdout: "" });
    expect(readFileSync(join(copy.unpacked, "snapshot.db"), "utf8")).toBe("data");
  });

  test("that would fill the disk is refused as it comes", async ({ copy }) => {
    // A thousandth of that at the target.
    copy.write("large", "\0".repeat(5e7));
    const { stdout, exitCode } = await copy.unpack({ free: 2e6 });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^the copy is no tar.gz of at most 1000 files and 1000000 bytes, half of what is free /,
    );
    expect(copy.size()).toBeLessThan(1.1e6);
  });

  test("whose file with holes is larger than what came is refused unread", async ({ copy }) => {
    copy.write("snapshot.db", "");
    truncateSync(join(copy.set, "snapshot.db"), 1e9);
    const input = copy.pack("--sparse");
    expect((await copy.unpack({ input })).stdout).toMatch(/^the copy is no tar.gz of at most /);
  });

  test("of more files than a copy may have is refused as it comes", async ({ copy }) => {
    for (let i = 0; i < 3000; i++) copy.write(`many/${i}`, "");
    expect((await copy.unpack({ free: 1e9 })).stdout).toMatch(/^the copy is no tar.gz of at most /);
    expect(readdirSync(join(copy.unpacked, "many")).length).toBeLessThan(2000);
  });

  test.for([
    ["nothing", ""],
    ["no tar.gz", "data"],
  ])("that is %s is refused", async ([, input], { copy }) => {
    const { stdout } = await copy.unpack({ input: Buffer.from(input as string) });
    expect(stdout).toMatch(/^the copy is no tar.gz/);
  });

  test("that is cut off is refused", async ({ copy }) => {
    const input = copy.pack();
    const { stdout } = await copy.unpack({ input: input.subarray(0, input.length / 2) });
    expect(stdout).toMatch(/^the copy is no tar.gz/);
  });

  test.for<[string, (copy: Copy) => void, RegExp]>([
    ["no list", (copy) => rmSync(join(copy.set, "set.json")), /^the copy has no set.json$/],
    [
      "a file that is not listed",
      (copy) => copy.write("pki/other.key", ""),
      /^the copy has other files than it lists$/,
    ],
    [
      "less than it lists",
      (copy) => rmSync(join(copy.set, "snapshot.db")),
      /^the copy has other files than it lists$/,
    ],
    [
      "no signature of the CA",
      (copy) => {
        const key = join(copy.folder, "other.key");
        execFileSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-out", key]);
        copy.sign(["pki/ca.crt", "snapshot.db"], "other.key");
      },
      /^the copy is not signed by its cluster's CA: /,
    ],
    [
      "a file that was changed",
      (copy) => copy.write("snapshot.db", "other"),
      /^the copy is damaged: snapshot.db is not what was packed$/,
    ],
  ])("with %s is refused", async ([, change, says], { copy }) => {
    change(copy);
    expect(await copy.unpack()).toEqual({ exitCode: 0, stdout: expect.stringMatching(says) });
  });
});
