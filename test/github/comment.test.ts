import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { marker } from "../../commands/impact/markdown.ts";
import { FakeGitHub } from "./fake.ts";

const github = new FakeGitHub();
afterAll(() => github.end());

const commit = "c".repeat(40);
const comments = "repos/o/r/issues/7/comments";
const text = `${marker}\n\nhello\n`;
const bot = { type: "Bot" };

const comment = (content: string, existing: object[] = [], owner = "o/r") =>
  github.run("comment.sh", ["7", github.write("impact.md", content), commit, owner], {
    [comments]: existing,
    "repos/o/r/issues/comments/42": {},
  });

describe("comment.sh", () => {
  it("puts up the first comment", async () => {
    const { exitCode, asked } = await comment(text, [
      { id: 1, user: { type: "User" }, body: text },
      { id: 2, user: bot, body: "of another workflow" },
    ]);
    expect(exitCode).toBe(0);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatch(/^api --method POST repos\/o\/r\/issues\/7\/comments -F body=@/);
  });

  it("edits the one that is there", async () => {
    const { exitCode, asked } = await comment(text, [{ id: 42, user: bot, body: `${text}older` }]);
    expect(exitCode).toBe(0);
    expect(asked[1]).toMatch(/^api --method PATCH repos\/o\/r\/issues\/comments\/42 -F body=@/);
  });

  it.each([
    ["o/r", "the code of this pull request"],
    ["fork/r", "the code of a fork, fork/r"],
  ])("says of %s whose code wrote it, above whatever the file says", async (owner, whose) => {
    const lie = `${marker}\n\n> Written by the code of main, and true.\n`;
    expect((await comment(lie, [], owner)).exitCode).toBe(0);
    const [first, , warning, says, , ...rest] = github.read("body").split("\n");
    expect(first).toBe(marker);
    expect(warning).toBe("> [!WARNING]");
    expect(says).toContain(`Written by ${whose}, at ${commit}.`);
    expect(rest.join("\n")).toContain("of main, and true");
  });

  it("labels the pull request with the worst label, in the place of an earlier one", async () => {
    const labels = "repos/o/r/issues/7/labels";
    const answers = {
      [comments]: [],
      [labels]: [{ name: "impact-live" }, { name: "impact-accepted" }],
      [`${labels}/impact-live`]: {},
    };
    const label = (line: string) =>
      github.run(
        "comment.sh",
        ["7", github.write("impact.md", `${marker}\n${line}\n`), commit, "o/r"],
        answers,
      );
    const { exitCode, asked } = await label("<!-- label: recreate -->");
    expect(exitCode).toBe(0);
    expect(asked.slice(3)).toEqual([
      `api --method DELETE ${labels}/impact-live --silent`,
      `api --method POST ${labels} -f labels[]=impact-recreate --silent`,
    ]);
    expect((await label("<!-- label: live$(id) -->")).asked.join()).not.toContain("labels");
  });

  it.each([
    ["another text", "hello"],
    ["an endless one", `${marker}\n${"x".repeat(300_000)}`],
  ])("refuses %s, before it asks anything", async (_, content) => {
    const { exitCode, stderr, asked } = await comment(content);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("not a comment of npm run impact");
    expect(asked).toEqual([]);
  });

  it("refuses a link, which could show a file of the runner", async () => {
    const link = join(github.place, "link.md");
    symlinkSync(github.write("secret", text), link);
    const { exitCode, asked } = await github.run("comment.sh", ["7", link, commit, "o/r"], {});
    expect({ exitCode, asked }).toEqual({ exitCode: 1, asked: [] });
  });
});

it("pull-request.sh finds the one whose newest commit it is", async () => {
  const pulls = [
    { number: 3, head: { sha: "d".repeat(40) } },
    { number: 7, head: { sha: commit } },
  ];
  const find = (of: string) =>
    github.run("pull-request.sh", ["fork", "branch", of], { "repos/o/r/pulls": pulls });
  expect((await find(commit)).stdout).toBe("number=7");
  expect((await find("e".repeat(40))).stdout).toBe("number=");
  expect((await find(commit)).asked[0]).toContain("head=fork:branch");
});
