import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeGitHub } from "./fake.ts";

const github = new FakeGitHub();
const project = join(github.place, "project");
const state = join(github.place, "state");
const stackFile = join(project, "Pulumi.production.yaml");
afterAll(() => github.end());
beforeAll(() => {
  mkdirSync(project);
  const copy = join(github.place, "copy");
  mkdirSync(join(copy, ".pulumi"), { recursive: true });
  writeFileSync(join(copy, ".pulumi/meta.yaml"), "version: 1\n");
  writeFileSync(join(copy, "salt-production"), "encryptionsalt: v1:copy\n");
  execFileSync("tar", ["-C", copy, "-cf", join(github.place, "artifact/state.tar"), "."]);
});

const artifact = (id: number, change: object = {}, more: object = {}) => ({
  expired: false,
  created_at: `2026-01-0${id}`,
  workflow_run: {
    ...{ id, repository_id: 1, head_repository_id: 1, head_branch: "main", ...change },
  },
  ...more,
});
const run = (event: string, path = ".github/workflows/up.yaml") => ({ event, path });

async function fetch(artifacts: object[], runs: Record<number, object>) {
  writeFileSync(stackFile, "encryptionsalt: v1:real\nconfig:\n  a: 1\n");
  const answers = {
    "repos/o/r/actions/artifacts": { artifacts },
    ...Object.fromEntries(
      Object.entries(runs).map(([id, it]) => [`repos/o/r/actions/runs/${id}`, it]),
    ),
  };
  const result = await github.run("state-fetch.sh", [state], answers, { cwd: project });
  const taken = result.asked.filter((line) => line.startsWith("run download"));
  return { ...result, taken: taken.map((line) => line.split(" ")[2]) };
}

describe("state-fetch.sh", () => {
  it("takes main's newest copy, and the work tree's stack file opens it", async () => {
    const { exitCode, stdout, taken } = await fetch([artifact(1), artifact(2)], {
      1: run("push"),
      2: run("schedule", ".github/workflows/drift.yaml"),
    });
    expect({ exitCode, stdout, taken }).toEqual({
      exitCode: 0,
      stdout: `PULUMI_BACKEND_URL=file://${state}`,
      taken: ["2"],
    });
    expect(readFileSync(join(state, ".pulumi/meta.yaml"), "utf8")).toBe("version: 1\n");
    expect(readFileSync(stackFile, "utf8")).toBe("config:\n  a: 1\nencryptionsalt: v1:copy\n");
  });

  it.each([
    ["a branch's", artifact(3, { head_branch: "evil" }), run("push")],
    ["that of a fork whose branch is main", artifact(3, { head_repository_id: 2 }), run("push")],
    ["a pull request's", artifact(3), run("pull_request")],
    ["another workflow's", artifact(3), run("push", ".github/workflows/evil.yaml")],
    ["one that has expired", artifact(3, {}, { expired: true }), run("push")],
  ])("passes by %s", async (_, later, of) => {
    const { taken } = await fetch([artifact(1), later], { 1: run("push"), 3: of });
    expect(taken).toEqual(["1"]);
  });

  it("leaves the file where there is no copy", async () => {
    const { exitCode, taken } = await fetch([], {});
    expect({ exitCode, taken }).toEqual({ exitCode: 0, taken: [] });
    expect(readFileSync(stackFile, "utf8")).toContain("v1:real");
  });
});

it("last-up.sh names what the last good run brought up", async () => {
  const answers = {
    "repos/o/r/actions/workflows/up.yaml/runs": {
      workflow_runs: [
        { event: "workflow_dispatch", head_sha: "other" },
        { event: "push", head_sha: "newest" },
        { event: "push", head_sha: "older" },
      ],
    },
  };
  expect((await github.run("last-up.sh", [], answers)).stdout).toBe("commit=newest");
  const none = { "repos/o/r/actions/workflows/up.yaml/runs": { workflow_runs: [] } };
  expect((await github.run("last-up.sh", [], none)).stdout).toBe("commit=");
});
