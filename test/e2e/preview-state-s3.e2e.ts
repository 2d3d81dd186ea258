import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { build } from "../lab/artifacts/build.ts";
import { findGo } from "../lab/artifacts/go.ts";
import { recipes, versitygw } from "../lab/artifacts/recipes.ts";
import { Progress } from "../lab/progress.ts";
import { waitFor } from "../lab/shell.ts";
import { root } from "../root.ts";
import { freePorts } from "./ports.ts";

// The credential of `<stack>-read` on a backend of S3, as docs/ci.md asks for it (s3:GetObject and s3:ListBucket), with
// Pulumi's own CLI and a real server: it copies the state for previews, and plants nothing.

const place = mkdtempSync(join(tmpdir(), "preview-s3-"));
const [project, bucket, home, accounts] = ["project", "s3/state", "home", "accounts"].map((it) =>
  join(place, it),
) as [string, string, string, string];
const state = join(bucket, ".pulumi/stacks/oslo-cluster/production.json");
let endpoint = "";
/** Of the environments `<stack>` and `<stack>-read`. */
const own = { id: "up", secret: "the-secret-of-up" };
const reader = { id: "reader", secret: "the-secret-of-the-reader" };
let programs = "";
let server: ResultPromise<{ reject: false }>;

beforeAll(async () => {
  for (const folder of [project, bucket, home, accounts]) mkdirSync(folder, { recursive: true });
  copyFileSync(join(root, "Pulumi.yaml"), join(project, "Pulumi.yaml"));
  const go = await findGo();
  const built = [];
  for (const recipe of [recipes.pulumi, versitygw])
    built.push((await build(go, recipe, new Progress())).directory);
  programs = [...built, process.env.PATH].join(":");
  const account = ["--access", own.id, "--secret", own.secret];
  const [port] = await freePorts(1);
  endpoint = `http://127.0.0.1:${port}`;
  server = execa(
    "versitygw",
    [...account, "--quiet", "--port", `127.0.0.1:${port}`, "--iam-dir", accounts].concat([
      "posix",
      join(place, "s3"),
    ]),
    { env: { PATH: programs }, reject: false },
  );
  await waitFor("the S3 server", 60, async () => {
    const { exitCode } = await execa("curl", ["--silent", endpoint], { reject: false });
    return exitCode === 0;
  });
  const user = ["--access", reader.id, "--secret", reader.secret, "--role", "user"];
  const admin = ["admin", ...account, "--endpoint-url", endpoint];
  await execa("versitygw", [...admin, "create-user", ...user], { env: { PATH: programs } });
  await mayRead(reader.id);
  await as(own, "pulumi", "stack", "init", "production", "--non-interactive");
});

afterAll(async () => {
  server.kill();
  await server;
  rmSync(place, { recursive: true, force: true });
});

async function mayRead(account: string): Promise<void> {
  const allow = (action: string, resource: string) => ({
    ...{ Effect: "Allow", Principal: { AWS: [account] } },
    ...{ Action: [action], Resource: `arn:aws:s3:::${resource}` },
  });
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [allow("s3:GetObject", "state/*"), allow("s3:ListBucket", "state")],
  });
  const digest = createHash("sha256").update(policy).digest("hex");
  await execa("curl", [
    ...["--silent", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3"],
    ...["--user", `${own.id}:${own.secret}`, "--header", `x-amz-content-sha256: ${digest}`],
    ...["--request", "PUT", "--data-binary", policy, `${endpoint}/state?policy=`],
  ]);
}

/** A command with all that an environment holds. */
function as({ id, secret }: typeof own, command: string, ...words: string[]) {
  return execa(command, words, {
    cwd: project,
    reject: false,
    extendEnv: false,
    env: {
      ...{ PATH: programs, HOME: home, PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" },
      PULUMI_BACKEND_URL: `s3://state?region=us-east-1&s3ForcePathStyle=true&endpoint=${endpoint}`,
      ...{ PULUMI_CONFIG_PASSPHRASE: "of the stack", PREVIEW_PASSPHRASE: "of previews" },
      ...{ AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret },
    },
  });
}
const plant = (who: typeof own) => as(who, join(root, "test/e2e/plant.sh"), "production");

it("the credential that reads alone gives previews their copy", async () => {
  const copy = join(place, "state.tar");
  const script = join(root, ".github/scripts/state-copy.sh");
  const { exitCode, stderr } = await as(reader, script, "production", copy);
  expect(exitCode, stderr).toBe(0);
  const { stdout } = await execa("tar", ["-tf", copy]);
  expect(stdout).toContain(".pulumi/stacks/oslo-cluster/production.json");
});

it("and plants no resource, nor does it remove the stack", async () => {
  const before = readFileSync(state, "utf8");
  for (const attempt of [
    await plant(reader),
    await as(reader, "pulumi", "stack", "rm", "production", "--yes", "--force"),
  ]) {
    expect(attempt.exitCode).not.toBe(0);
    expect(attempt.stderr).toMatch(/AccessDenied/);
  }
  expect(readFileSync(state, "utf8")).toBe(before);
});

it("the credential of `up` plants one: the attack is a real one", async () => {
  const { exitCode, stderr } = await plant(own);
  expect(exitCode, stderr).toBe(0);
  expect(readFileSync(state, "utf8")).toContain("command:local:Command::planted");
});
