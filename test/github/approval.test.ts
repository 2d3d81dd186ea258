import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Answers, FakeGitHub } from "./fake.ts";

const github = new FakeGitHub();
afterAll(() => github.end());

const commit = "a".repeat(40);
const older = "b".repeat(40);
const review = (login: string, state: string, commit_id = commit) => ({
  user: { login },
  state,
  commit_id,
});
const repository = "repos/o/r";

function pull(reviews: object[], { author = "dev", wrote = "dev", labels = [] as string[] } = {}) {
  return {
    [`${repository}/pulls/7`]: {
      state: "open",
      user: { login: author },
      head: { sha: commit, repo: { full_name: "o/r" } },
      labels: labels.map((name) => ({ name })),
    },
    [`${repository}/pulls/7/reviews`]: reviews,
    [`${repository}/commits/${commit}`]: { author: { login: wrote }, committer: null },
    [`${repository}/collaborators/boss/permission`]: { role_name: "maintain" },
    [`${repository}/collaborators/root/permission`]: { role_name: "admin" },
    [`${repository}/collaborators/dev/permission`]: { role_name: "admin" },
    [`${repository}/collaborators/peer/permission`]: { role_name: "write" },
    [`${repository}/collaborators/sorter/permission`]: { role_name: "triage" },
  } satisfies Answers;
}

describe("approved.sh", () => {
  const approved = (answers: Answers) => github.run("approved.sh", ["7", commit], answers);

  it("takes a maintainer's review of the very commit", async () => {
    const { exitCode, stdout } = await approved(pull([review("boss", "APPROVED")]));
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `#7: ${commit} is approved by boss`,
    });
  });

  it.each([
    ["no review", pull([])],
    ["a label", pull([], { labels: ["impact-accepted", "cluster"] })],
    ["a review of an earlier commit", pull([review("boss", "APPROVED", older)])],
    ["a comment", pull([review("boss", "COMMENTED")])],
    ["a review that was dismissed", pull([review("boss", "DISMISSED")])],
    ["a change of mind", pull([review("boss", "APPROVED"), review("boss", "CHANGES_REQUESTED")])],
    [
      "another maintainer's no",
      pull([review("root", "CHANGES_REQUESTED", older), review("boss", "APPROVED")]),
    ],
    ["one's own review", pull([review("dev", "APPROVED")])],
    [
      "the review of who wrote the commit on another's pull request",
      pull([review("boss", "APPROVED")], { wrote: "boss" }),
    ],
    ["a review with the right to write alone", pull([review("peer", "APPROVED")])],
    ["a review by triage", pull([review("sorter", "APPROVED")])],
    ["a review by somebody from outside", pull([review("stranger", "APPROVED")])],
  ])("does not take %s", async (_, answers) => {
    const { exitCode, stdout } = await approved(answers);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^#7: .{20,}/);
  });

  it("says which commit was approved instead", async () => {
    const { stdout } = await approved(pull([review("boss", "APPROVED", older)]));
    expect(stdout).toContain(`boss approved another commit than ${commit}`);
  });

  it("is no approval where GitHub does not answer", async () => {
    expect((await approved({})).exitCode).toBe(1);
    const half = { [`${repository}/pulls/7`]: { user: { login: "dev" } } };
    expect((await approved(half)).exitCode).toBe(1);
  });

  it.each([
    ["1 ; true", commit],
    ["7", "main"],
    ["7", `${commit}?x`],
  ])("takes no other words: %s %s", async (number, sha) => {
    const { exitCode, asked } = await github.run("approved.sh", [number, sha], {});
    expect({ exitCode, asked }).toEqual({ exitCode: 1, asked: [] });
  });
});

describe("fail-on.sh", () => {
  it.each([
    [[review("boss", "APPROVED")], "fail-on=impossible"],
    [[review("boss", "APPROVED", older)], "fail-on=recreate,risk"],
  ])("by the review alone", async (reviews, expected) => {
    const answers = pull(reviews, { labels: ["impact-accepted"] });
    const { exitCode, stdout } = await github.run("fail-on.sh", ["7", commit], answers);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expected });
  });

  it("fails where GitHub does not answer", async () => {
    const { exitCode, stdout } = await github.run("fail-on.sh", ["7", commit], {});
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  });
});

describe("merged.sh", () => {
  const git = (...args: string[]) =>
    execFileSync(
      "git",
      ["-c", "user.name=a", "-c", "user.email=a@example.no", "-c", "commit.gpgsign=false", ...args],
      { cwd: join(github.place, "repository"), encoding: "utf8" },
    ).trim();
  execFileSync("git", ["init", "-q", "-b", "main", join(github.place, "repository")]);
  const [first, second, third] = ["1", "2", "3"].map((message) => {
    git("commit", "-q", "--allow-empty", "-m", message);
    return git("rev-parse", "HEAD");
  }) as [string, string, string];
  const merge = (sha: string) => ({
    [`${repository}/commits/${sha}/pulls`]: [
      { number: 9, merged_at: null, base: { ref: "main" }, head: { sha: older } },
      { number: 8, merged_at: "2026-01-01", base: { ref: "next" }, head: { sha: older } },
      { number: 7, merged_at: "2026-01-02", base: { ref: "main" }, head: { sha: commit } },
    ],
  });
  const merged = (since: string, sha: string, answers: Answers) =>
    github.run("merged.sh", [since, sha], answers, { cwd: join(github.place, "repository") });
  const good = pull([review("boss", "APPROVED")]);

  it("looks at every commit since the last that was brought up", async () => {
    const all = { ...good, ...merge(second), ...merge(third) };
    expect((await merged(first, third, all)).exitCode).toBe(0);
    const { exitCode, stdout } = await merged(first, third, { ...all, ...pull([]) });
    expect(exitCode).toBe(3);
    expect(stdout.split("\n")).toHaveLength(2);
  });

  it("refuses one that came without a pull request, also behind one that was approved", async () => {
    const answers = { ...good, ...merge(third), [`${repository}/commits/${second}/pulls`]: [] };
    const { exitCode, stdout } = await merged(first, third, answers);
    expect(exitCode).toBe(3);
    expect(stdout).toContain(`${second}: came to main without a pull request`);
  });

  it("looks at the newest alone where nothing was brought up before", async () => {
    expect((await merged("", third, { ...good, ...merge(third) })).exitCode).toBe(0);
    expect((await merged("", third, { ...pull([]), ...merge(third) })).exitCode).toBe(3);
  });

  it("refuses a history that was written again", async () => {
    const { exitCode, stderr } = await merged(third, first, good);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("is no ancestor of");
  });
});

describe("cluster.sh", () => {
  const target = (action: string, label = "") => ({
    action,
    label: { name: label },
    pull_request: { number: 7 },
  });
  const finished = (numbers: number[]) => ({
    action: "completed",
    workflow_run: { pull_requests: numbers.map((number) => ({ number })) },
  });
  const approval = [review("boss", "APPROVED")];
  type Pull = { state: string; head: { repo: { full_name: string } } };
  function changed(answers: Answers, change: (pull: Pull) => void): Answers {
    change(answers[`${repository}/pulls/7`] as Pull);
    return answers;
  }
  const closed = (labels: string[]) =>
    changed(pull([], { labels }), (it) => {
      it.state = "closed";
    });
  const forked = changed(pull(approval, { labels: ["cluster"] }), (it) => {
    it.head.repo.full_name = "fork/r";
  });

  it.each([
    [
      "after a review of the very commit",
      finished([7]),
      pull(approval, { labels: ["cluster"] }),
      "up",
    ],
    [
      "when the label comes after the review",
      target("labeled", "cluster"),
      pull(approval, { labels: ["cluster"] }),
      "up",
    ],
    [
      "not by a label alone",
      target("labeled", "cluster"),
      pull([], { labels: ["cluster"] }),
      "none",
    ],
    [
      "not for a push after the review",
      finished([7]),
      pull([review("boss", "APPROVED", older)], { labels: ["cluster"] }),
      "none",
    ],
    ["not without the label", finished([7]), pull(approval), "none"],
    ["never for a fork", target("labeled", "cluster"), forked, "none"],
    ["not for a run that names no pull request", finished([]), {}, "none"],
    ["down when it is closed", target("closed"), closed(["cluster"]), "down"],
    ["not down when it had none", target("closed"), closed([]), "none"],
    ["down when the label is taken off", target("unlabeled", "cluster"), pull(approval), "down"],
    [
      "not down for another label",
      target("unlabeled", "bug"),
      pull([], { labels: ["cluster"] }),
      "none",
    ],
  ])("%s", async (_, event, answers, action) => {
    const file = github.write("event.json", JSON.stringify(event));
    const { exitCode, stdout, stderr } = await github.run("cluster.sh", [file], answers);
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.split("\n")[0]).toBe(`action=${action}`);
    if (action === "up") expect(stdout).toContain(`commit=${commit}`);
  });
});
