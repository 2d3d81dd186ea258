import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readAnswer } from "../../../commands/status/answer.ts";
import { root } from "../../root.ts";

const day = 86_400_000;
let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "status-node-"));
});
afterEach(() => rmSync(place, { recursive: true }));

function write(path: string, content: string): void {
  mkdirSync(dirname(join(place, path)), { recursive: true });
  writeFileSync(join(place, path), content, { mode: 0o755 });
}

/** What the script says of a node whose files are in the place. */
async function answer() {
  const { stdout } = await execa("bash", [join(root, "commands/status/node.sh")], {
    env: { root: place, PATH: `${join(place, "bin")}:${process.env.PATH}` },
  });
  return readAnswer(stdout.split("\n"));
}

it("a node tells steps, certificates and backups", async () => {
  write("var/lib/oslo-cluster/steps/kernel", "phase=done\ninputHash=00112233\n");
  write("var/lib/oslo-cluster/backup/status.json", '{\n"lastSuccess": 7 }\n');
  const pki = join(place, "etc/kubernetes/pki");
  mkdirSync(pki, { recursive: true });
  await execa("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=a", "-days", "90", "-keyout", "/dev/null", "-out", join(pki, "a.crt")],
  ]);
  const embedded = readFileSync(join(pki, "a.crt")).toString("base64");
  write(
    "etc/kubernetes/scheduler.conf",
    `users:\n- user:\n    client-certificate-data: ${embedded}\n`,
  );
  const { steps = [], certificates = [], backup } = await answer();
  expect([...steps]).toEqual([["kernel", "00112233"]]);
  expect(backup).toEqual({ lastSuccess: 7 });
  const paths = ["/etc/kubernetes/pki/a.crt", "/etc/kubernetes/scheduler.conf"];
  expect(certificates.map(({ path }) => path)).toEqual(paths);
  for (const { expires } of certificates) {
    const days = (Number(expires) - Date.now()) / day;
    expect(days).toBeGreaterThan(88);
    expect(days).toBeLessThan(91);
  }
});

// Other work on the machine may slow one try down; one after the other, each would take too long.
it("an API server and an etcd that hang keep a node from saying nothing else, and from nothing for long", {
  retry: 2,
}, async () => {
  const program = (path: string, script: string) => write(path, `#!/bin/sh\n${script}\n`);
  write("etc/kubernetes/pki/etcd/healthcheck-client.key", "");
  write("etc/kubernetes/admin.conf", "");
  program("bin/kubectl", "exec sleep 60");
  program("bin/curl", 'while [ "$1" != --max-time ]; do shift; done; sleep "$2"; exit 28');
  program("usr/local/lib/oslo-cluster/oslo-step", 'sleep "$ETCD_LIMIT"; echo lost');
  const began = performance.now();
  expect(await answer()).toEqual({ steps: new Map(), certificates: [], etcd: "lost" });
  // One after the other would take 7 s.
  expect(performance.now() - began).toBeLessThan(6000);
});
