import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FakeGitHub } from "../github/fake.ts";
import { build } from "../lab/artifacts/build.ts";
import { findGo } from "../lab/artifacts/go.ts";
import { recipes } from "../lab/artifacts/recipes.ts";
import { Progress } from "../lab/progress.ts";
import { root } from "../root.ts";

// A preview's credentials against the state, with Pulumi's own CLI. The state's directory is its owner's alone, as a
// bucket is of who has its key; previews run as somebody else.
const nobody = 65534;
const place = mkdtempSync(join(tmpdir(), "preview-state-"));
const [project, real, copy] = ["project", "real", "copy"].map((it) => join(place, it)) as [
  string,
  string,
  string,
];
const stateFile = join(real, ".pulumi/stacks/oslo-cluster/production.json");
const github = new FakeGitHub();
/** Where somebody else can run the CLI, too. */
const directory = join(place, "bin");

/** What `up` of the stack holds. */
const own = { PULUMI_BACKEND_URL: `file://${real}`, PULUMI_CONFIG_PASSPHRASE: "of the stack" };
/** All that impact.yaml's environment holds: what is not in it is nowhere. */
const previews = { PULUMI_CONFIG_PASSPHRASE: "of previews" };

function as(uid: number, env: Record<string, string>, cwd = project) {
  const home = join(place, `home-${uid}`);
  mkdirSync(home, { recursive: true });
  chownSync(home, uid, uid);
  return {
    cwd,
    reject: false,
    extendEnv: false,
    uid,
    gid: uid,
    env: {
      ...env,
      HOME: home,
      PULUMI_HOME: home,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PATH: `${directory}:${process.env.PATH}`,
    },
  };
}
const plant = (uid: number, env: Record<string, string>, cwd = project) =>
  execa(join(place, "plant.sh"), ["production"], as(uid, env, cwd));

beforeAll(async () => {
  const built = await build(await findGo(), recipes.pulumi, new Progress());
  chmodSync(place, 0o755);
  for (const folder of [project, real, copy, directory]) mkdirSync(folder);
  copyFileSync(join(built.directory, "pulumi"), join(directory, "pulumi"));
  writeFileSync(join(project, "Pulumi.yaml"), readFileSync(join(root, "Pulumi.yaml")));
  writeFileSync(join(place, "plant.sh"), readFileSync(join(root, "test/e2e/plant.sh")));
  chmodSync(join(place, "plant.sh"), 0o755);
  const pulumi = (args: string[], input = "") =>
    execa("pulumi", [...args, "--non-interactive"], { ...as(0, own), reject: true, input });
  await pulumi(["stack", "init", "production"]);
  const fresh = JSON.parse((await pulumi(["stack", "export"])).stdout);
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
  const type = "pulumi:pulumi:Stack";
  fresh.deployment.resources = [
    {
      urn: `urn:pulumi:production::oslo-cluster::${type}::oslo-cluster-production`,
      ...{ type, custom: false },
      outputs: { word: { ...secret, plaintext: '"never in the open"' } },
    },
  ];
  await pulumi(["stack", "import"], JSON.stringify(fresh));
  chmodSync(real, 0o700);
});
afterAll(() => {
  github.end();
  rmSync(place, { recursive: true, force: true });
});

it("the copy gives previews the state, under their own passphrase", async () => {
  const result = await execa(
    join(root, ".github/scripts/state-copy.sh"),
    ["production", join(github.place, "artifact/state.tar")],
    as(0, { ...own, PREVIEW_PASSPHRASE: previews.PULUMI_CONFIG_PASSPHRASE }),
  );
  expect(result.exitCode, result.stderr).toBe(0);
  const answers = {
    "repos/o/r/actions/artifacts": {
      artifacts: [
        {
          ...{ expired: false, created_at: "2026-01-01" },
          workflow_run: { id: 1, repository_id: 1, head_repository_id: 1, head_branch: "main" },
        },
      ],
    },
    "repos/o/r/actions/runs/1": { event: "push", path: ".github/workflows/up.yaml" },
  };
  const fetched = await github.run("state-fetch.sh", [copy], answers, { cwd: project });
  expect(fetched.stdout).toBe(`PULUMI_BACKEND_URL=file://${copy}`);
  await execa("chown", ["-R", `${nobody}:${nobody}`, copy, project]);
  const read = (env: Record<string, string>) =>
    execa(
      "pulumi",
      ["stack", "output", "--stack", "production", "--show-secrets", "--json"],
      as(nobody, { PULUMI_BACKEND_URL: `file://${copy}`, ...env }),
    );
  expect(JSON.parse((await read(previews)).stdout)).toEqual({ word: "never in the open" });
  const foreign = { PULUMI_CONFIG_PASSPHRASE: own.PULUMI_CONFIG_PASSPHRASE };
  expect((await read(foreign)).exitCode).not.toBe(0);
  const text = await execa("grep", ["-r", "never in the open", copy], { reject: false });
  expect(text.stdout).toBe("");
});

it("with all that a preview holds, no resource can be planted: neither by the copy nor by the backend's URL", async () => {
  const before = readFileSync(stateFile, "utf8");
  // The copy is the preview's own: what it does there nobody reads.
  const onCopy = await plant(nobody, { ...previews, PULUMI_BACKEND_URL: `file://${copy}` });
  expect(onCopy.exitCode, onCopy.stderr).toBe(0);
  // The URL is no secret: it is in environments.json.
  for (const env of [previews, { PULUMI_CONFIG_PASSPHRASE: own.PULUMI_CONFIG_PASSPHRASE }]) {
    const onReal = await plant(nobody, { ...env, PULUMI_BACKEND_URL: own.PULUMI_BACKEND_URL });
    expect(onReal.exitCode).not.toBe(0);
    expect(onReal.stderr).toMatch(/permission denied/);
  }
  expect(readFileSync(stateFile, "utf8")).toBe(before);
});

it("and with the stack's own credentials it can: the attack is a real one", async () => {
  const result = await plant(0, own);
  expect(result.exitCode, result.stderr).toBe(0);
  expect(readFileSync(stateFile, "utf8")).toContain("command:local:Command::planted");
});
