import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { programsOf } from "../../../commands/etcd/programs.ts";

// A copy at a target may be of anybody who can write there, and what it names is run by the operator.

const folder = mkdtempSync(join(tmpdir(), "programs-"));
const asked = join(folder, "asked");
const path = process.env.PATH;
beforeEach(() => {
  writeFileSync(asked, "");
  writeFileSync(
    join(folder, "skopeo"),
    `#!/bin/sh\necho "$*" >>${asked}\nfor last; do :; done\necho '{"layers":[]}' >"\${last#dir:}/manifest.json"\n`,
    { mode: 0o755 },
  );
  process.env.PATH = `${folder}:${path}`;
});
afterAll(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

const etcd = "registry.k8s.io/etcd:3.6.8-0";
const kubeApiserver = "registry.k8s.io/kube-apiserver:v1.36.3";
const fetched = () => readFileSync(asked, "utf8");
const of = (images: { etcd: string; kubeApiserver: string }) =>
  programsOf(
    { artifacts: { registries: { "registry.k8s.io": "https://mirror.example.no/k8s" } } } as never,
    images,
    join(folder, "programs"),
  );

it("are fetched from upstream or its mirror", async () => {
  await of({ etcd, kubeApiserver });
  expect(fetched()).toMatch(/docker:\/\/mirror\.example\.no\/k8s\/etcd:3\.6\.8-0 dir:/);
  expect(fetched()).toMatch(/docker:\/\/mirror\.example\.no\/k8s\/kube-apiserver:v1\.36\.3 dir:/);
});

it.each([
  "evil.example/etcd:3.6.8-0",
  "registry.k8s.io/../evil/etcd:3.6.8-0",
  "registry.k8s.io.evil.example/etcd:1",
  "registry.k8s.io/etcd@sha256:00",
  "registry.k8s.io/other:1",
  "http://evil.example/etcd:1",
  "--help",
  "",
])("of another image are not: %j", async (image) => {
  await expect(of({ etcd: image, kubeApiserver })).rejects.toThrow(/--binaries FOLDER/);
  await expect(of({ etcd, kubeApiserver: image })).rejects.toThrow(/--binaries FOLDER/);
  expect(fetched()).not.toContain("evil");
});
