import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Config } from "../../config/config.ts";
import {
  documentVars,
  type HypervisorDocument,
  renderDocument,
} from "../../plan/libvirt/document.ts";
import { plan } from "../../plan/plan.ts";
import { hypervisorScript } from "../../steps/hypervisor/bundle.ts";
import { configOf } from "../stacks.ts";

const folder = mkdtempSync(join(tmpdir(), "hypervisor-documents-"));
afterAll(() => rmSync(folder, { recursive: true }));

const privateKey =
  "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n";
const publicKey = "ssh-ed25519 AAAAhost";
const tools = {
  "ssh-keygen": `#!/bin/sh\nprintf '%s' '${privateKey}' >"${folder}/host-key"\necho '${publicKey} ' >"${folder}/host-key.pub"\n`,
  xorriso: `#!/bin/sh\nfor seed; do :; done\ncat "$seed/user-data" >"${folder}/user-data"\n: >"${folder}/seed.iso"\n`,
};
for (const [name, text] of Object.entries(tools)) {
  writeFileSync(join(folder, name), text, { mode: 0o755 });
}

/** The user-data that a guest of these operators' keys boots with, made by the hypervisor's own script. */
function seedOf(authorizedKeys: string[]) {
  const config = configOf("libvirt");
  const libvirt = { ...config.libvirt, authorizedKeys } as Config["libvirt"];
  const { guest } = plan({ ...config, libvirt }).nodes.find((node) => node.guest)?.guest ?? {};
  if (guest === undefined) throw new Error("no guest");
  const inFolder = { ...guest, vars: { ...guest.vars, DIRECTORY: folder } };
  run(hypervisorScript(inFolder).replace('main "$1" </dev/null', "make_key; make_seed"));
  return parse(readFileSync(join(folder, "user-data"), "utf8"));
}

function run(input: string) {
  const env = { PATH: `${folder}:${process.env.PATH}`, TMPDIR: folder };
  return execaSync("bash", ["-s"], { input, env, stripFinalNewline: false }).stdout;
}

describe.each([
  "@HOST_KEY@",
  "@HOST_PUBLIC_KEY@",
  "OSLO_CLUSTER_END",
  "ssh_keys:",
  'x\' "y" $(id) `id` # & %n \\n',
])("an operator's key with the comment %s", (comment) => {
  const key = `ssh-ed25519 AAAAoperator ${comment}`;

  it("is what the guest takes, and the host's key is in its own place alone", () => {
    const { users, ssh_keys, ssh_deletekeys, hostname } = seedOf([key]);
    expect(users[0].ssh_authorized_keys).toEqual([key]);
    expect(ssh_keys).toEqual({ ed25519_private: privateKey, ed25519_public: publicKey });
    expect({ ssh_deletekeys, hostname }).toEqual({
      ssh_deletekeys: true,
      hostname: expect.any(String),
    });
  });
});

describe("what a document holds, the script reads", () => {
  const texts = ["", "plain", "it's", "a'\nb='c", "OSLO_CLUSTER_END", '$(id) `id` \\ " ;'];
  const reads = (made: HypervisorDocument) => {
    const show = 'printf "%s\\0" "$A" "$B" "$(cat "$WORK/a.xml" && echo .)"';
    const [a, b, file = ""] = run(
      hypervisorScript(made).replace('main "$1" </dev/null', show),
    ).split("\0");
    return { a, b, file: file.slice(0, -1) };
  };

  it.each(texts)("%j", (text) => {
    const file = `x\n${text}\n\n  ${text}\nOSLO_CLUSTER_END\nend`;
    const vars = { A: text, B: "b" };
    const made = { script: "image", note: "A note.", vars, files: { "a.xml": file } };
    expect(reads(made)).toEqual({ a: text, b: "b", file: `${file}\n` });
    expect(documentVars(renderDocument(made))).toEqual({ A: text, B: "b" });
  });
});
