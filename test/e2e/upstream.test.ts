import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fingerprintOf, generateKey, layOut } from "../lab/artifacts/apt.ts";
import { makePackage } from "../lab/artifacts/deb.ts";
import { downloadVerified } from "../lab/artifacts/upstream/files.ts";
import { downloadImage } from "../lab/artifacts/upstream/images.ts";
import { chooseOrigin } from "../lab/artifacts/upstream/origin.ts";
import { downloadPackages } from "../lab/artifacts/upstream/packages.ts";
import { type AptSource, upstream } from "../lab/artifacts/upstream/sources.ts";
import { run, waitFor } from "../lab/shell.ts";
import { ensureTools } from "../lab/tools.ts";
import {
  askLoopbackItself,
  type Mirror,
  push,
  serveFiles,
  serveImages,
} from "./upstream-mirrors.ts";

/** Mirrors that are filled as upstream's, on loopback: repositories, a registry, files. */
const work = mkdtempSync(join(tmpdir(), "oslo-upstream-"));
const [packages, keys, www, storage] = ["packages", "keys", "www", "registry"].map((name) =>
  join(work, name),
) as [string, string, string, string];
const reference = "registry.k8s.io/pause:1";
let files: Mirror;
let registry: Mirror;
let site = "";
let images = "";
let digest = "";
let source: AptSource;
let nth = 0;

/** An empty directory for what is downloaded. */
const target = () => {
  const directory = join(work, `target-${nth++}`);
  mkdirSync(directory);
  return directory;
};

beforeAll(async () => {
  await ensureTools();
  askLoopbackItself();
  for (const directory of [packages, join(keys, "own"), join(keys, "foreign"), www, storage])
    mkdirSync(directory, { recursive: true });
  await generateKey(join(keys, "own"), "own");
  await generateKey(join(keys, "foreign"), "foreign");
  writeFileSync(join(work, "program"), "#!/bin/sh\n");
  for (const [name, version] of [
    ["kubeadm", "1.36.3-1.1"],
    ["kubeadm", "1.36.4-1.1"],
    ["kubernetes-cni", "1.9.1-1.1"],
  ] as const) {
    const about = { description: "a program", homepage: "https://kubernetes.io" };
    const program = { [`/usr/bin/${name}`]: join(work, "program") };
    await makePackage({ name, version, ...about, files: program }, packages);
  }
  files = await serveFiles(www);
  registry = await serveImages(storage);
  [site, images] = [files.url, registry.url];
  digest = await push(await smallImage(), registry, "mirror/pause:1");
});

afterAll(() => {
  registry?.close();
  files?.close();
  rmSync(work, { recursive: true, force: true });
});

beforeEach(async () => {
  rmSync(www, { recursive: true, force: true });
  await makeRepository("own");
  source = {
    ...{ url: `${site}/apt/`, key: `${site}/apt/Release.key`, suite: "/" },
    keyFingerprint: await fingerprintOf(join(keys, "own")),
    packages: ["kubeadm=1.36.3-1.1", "kubernetes-cni"],
    optional: ["cri-tools"],
  };
});

async function makeRepository(key: string): Promise<void> {
  const out = join(www, "apt");
  rmSync(out, { recursive: true, force: true });
  const keyHome = join(keys, key);
  await layOut(packages, out, { layout: { kind: "flat" }, keyHome, origin: "upstream" });
}

async function smallImage(): Promise<string> {
  const layout = join(work, "layout");
  const script = join(import.meta.dirname, "../lab/artifacts/image.sh");
  await run("bash", [script, layout, "1", "/pause", "-", `${join(work, "program")}=/pause`]);
  return `oci:${layout}:1`;
}

/** Another byte in the middle of a file; a text stays a text. */
function flip(file: string): void {
  const content = readFileSync(file);
  const middle = Math.floor(content.length / 2);
  content[middle] = (content[middle] ?? 0) ^ 1;
  rmSync(file); // it may be another file's link
  writeFileSync(file, content);
}

describe("packages", () => {
  test("those that are pinned, of the versions that are pinned, and what there is of the others", async () => {
    const directory = target();
    await downloadPackages(source, directory);
    expect(readdirSync(directory).sort()).toEqual([
      "kubeadm_1.36.3-1.1_amd64.deb",
      "kubernetes-cni_1.9.1-1.1_amd64.deb",
    ]);
  });

  test("into a directory whose path is longer than that of a socket may be", async () => {
    const directory = join(target(), "0123456789".repeat(12));
    mkdirSync(directory);
    await downloadPackages(source, directory);
    expect(readdirSync(directory)).toHaveLength(2);
  });

  test.for(["kubeadm_1.36.3-1.1_amd64.deb", "Packages", "InRelease"])(
    "one flipped byte in %s is refused",
    async (name) => {
      flip(join(www, "apt", name));
      if (name === "Packages") rmSync(join(www, "apt/Packages.gz"));
      await expect(downloadPackages(source, target())).rejects.toThrow();
    },
  );

  test("a repository of a foreign key is refused, and the keys are named", async () => {
    await makeRepository("foreign");
    const foreign = await fingerprintOf(join(keys, "foreign"));
    await expect(downloadPackages(source, target())).rejects.toThrow(
      `its keys are ${foreign}, expected ${source.keyFingerprint}: somebody else has signed the repository`,
    );
  });

  test("a foreign signature is refused, though the key file holds the pinned key and that one", async () => {
    const pinned = readFileSync(join(www, "apt/Release.key"));
    await makeRepository("foreign");
    const both = Buffer.concat([pinned, readFileSync(join(www, "apt/Release.key"))]);
    writeFileSync(join(www, "apt/Release.key"), both);
    await expect(downloadPackages(source, target())).rejects.toThrow(/signature|NO_PUBKEY/);
  });
});

describe("files", () => {
  const content = "a chart, an archive of Helm or of Pulumi's CLI\n";
  const sha256 = createHash("sha256").update(content).digest("hex");
  const of = (name: string) => `${site}/${name}`;

  beforeEach(() => {
    writeFileSync(join(www, "cilium-1.tgz"), content);
    writeFileSync(join(www, "sums.txt"), `${"0".repeat(64)}  other.tgz\n${sha256}  cilium-1.tgz\n`);
  });

  test("one with its pinned checksum, and one with that of its publisher's list", async () => {
    const file = await downloadVerified({ url: of("cilium-1.tgz"), sha256 }, target());
    expect(readFileSync(file, "utf8")).toBe(content);
    await downloadVerified({ url: of("cilium-1.tgz"), sha256: { list: of("sums.txt") } }, target());
  });

  test("one flipped byte is refused, by a pin and by a list", async () => {
    flip(join(www, "cilium-1.tgz"));
    for (const sum of [sha256, { list: of("sums.txt") }]) {
      const asked = downloadVerified({ url: of("cilium-1.tgz"), sha256: sum }, target());
      await expect(asked).rejects.toThrow(
        /SHA-256 is [0-9a-f]{64}, expected .*not what was published/,
      );
    }
  });

  test("a list without the file is refused", async () => {
    cpSync(join(www, "cilium-1.tgz"), join(www, "unknown.tgz"));
    const asked = downloadVerified(
      { url: of("unknown.tgz"), sha256: { list: of("sums.txt") } },
      target(),
    );
    await expect(asked).rejects.toThrow("has no checksum of unknown.tgz");
  });
});

describe("images", () => {
  const asked = (pinned: string | undefined) => ({
    images: { [reference]: pinned },
    registries: { "registry.k8s.io": `${images}/mirror` },
  });
  const blobs = () => join(storage, "docker/registry/v2/blobs/sha256");
  const dataOf = (sum: string) => join(blobs(), sum.slice(0, 2), sum, "data");
  const manifest = () => JSON.parse(readFileSync(dataOf(digest), "utf8"));

  test("one with its pinned digest", async () => {
    const { source } = await downloadImage(reference, asked(digest), target());
    const index = readFileSync(join(source.split(":")[1] ?? "", "index.json"), "utf8");
    expect(index).toContain(digest);
  });

  test("one without a pin is the registry's word", async () => {
    await expect(downloadImage(reference, asked(undefined), target())).resolves.toBeDefined();
  });

  test("another image under the same tag is refused", async () => {
    const other = "0".repeat(64);
    await expect(downloadImage(reference, asked(other), target())).rejects.toThrow(
      /manifest unknown/,
    );
  });

  test.for(["layer", "configuration", "manifest"])(
    "one flipped byte in the %s is refused",
    async (part) => {
      const { layers, config } = manifest();
      const sums = {
        layer: layers[0].digest,
        configuration: config.digest,
        manifest: `sha256:${digest}`,
      };
      const file = dataOf(sums[part as keyof typeof sums].slice("sha256:".length));
      const whole = readFileSync(file);
      flip(file);
      await expect(downloadImage(reference, asked(digest), target())).rejects.toThrow();
      writeFileSync(file, whole);
      await downloadImage(reference, asked(digest), target());
    },
  );
});

describe("where artifacts come from", () => {
  const everywhere = () => ({
    ...upstream,
    kubernetes: source,
    containerd: source,
    registries: { "registry.k8s.io": images, "quay.io": images },
    ...Object.fromEntries(
      ["chart", "helm", "pulumi"].map((name) => [name, { url: `${site}/${name}` }]),
    ),
  });

  test("upstream where every host answers, modules where one does not", async () => {
    // A host has five seconds, whatever else the machine does.
    await waitFor("every host to answer in time", 60, async () => {
      return (await chooseOrigin(everywhere(), "auto")) === "upstream";
    });
    const registries = { "registry.k8s.io": images, "quay.io": "http://127.0.0.1:9" };
    expect(await chooseOrigin({ ...everywhere(), registries }, "auto")).toBe("modules");
  });

  test("as OSLO_LAB_ARTIFACTS says, and nothing that it cannot say", async () => {
    expect(await chooseOrigin(upstream, "upstream")).toBe("upstream");
    expect(await chooseOrigin(everywhere(), "modules")).toBe("modules");
    await expect(chooseOrigin(upstream, "debian")).rejects.toThrow(
      'OSLO_LAB_ARTIFACTS is "debian"; write upstream, modules or auto',
    );
  });
});
