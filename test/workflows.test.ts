import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { marker } from "../commands/impact/markdown.ts";
import { labels } from "../commands/impact/report.ts";
import { root } from "./root.ts";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, string>;
  env?: Record<string, string>;
}
interface Job {
  if?: string;
  "timeout-minutes"?: number;
  "runs-on"?: string;
  permissions?: Record<string, string>;
  concurrency?: { group: string; "cancel-in-progress": boolean };
  steps: Step[];
}
interface Workflow {
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  jobs: Record<string, Job>;
}

const folder = join(root, ".github/workflows");
const workflows = readdirSync(folder).map((name): [string, Workflow, string] => {
  const text = readFileSync(join(folder, name), "utf8");
  return [name, parse(text), text];
});
const workflow = (name: string) => workflows.find(([own]) => own === name)?.[1] as Workflow;
const scripts = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;
const fork = "github.event.pull_request.head.repo.full_name != github.repository";
const own = "github.event.pull_request.head.repo.full_name == github.repository";

/** A condition without what stands in brackets; with an `||` outside of them it is no list of conditions. */
function outsideBrackets(condition = ""): string {
  let text = condition;
  while (/\([^()]*\)/.test(text)) text = text.replace(/\([^()]*\)/g, "");
  return text.includes("||") ? "" : text;
}

/** What GitHub makes of a condition, for those that are written in JavaScript's words too. */
function holds(condition: string, github: { event: object }, vars: object): boolean {
  const text = condition.replaceAll("github.event.pull_request.labels.*.name", "labels");
  const labels = (github.event as { pull_request: { labels: { name: string }[] } }).pull_request
    .labels;
  const contains = (list: string[], item: string) => list.includes(item);
  const evaluate = new Function("github", "vars", "labels", "contains", `return Boolean(${text})`);
  return evaluate(
    github,
    vars,
    labels.map(({ name }) => name),
    contains,
  );
}

describe.each(workflows)("%s", (_, { on, permissions, jobs }, text) => {
  it("may read alone, but where a job says what it writes, and ends", () => {
    expect(permissions).toEqual({ contents: "read" });
    for (const job of Object.values(jobs)) expect(job["timeout-minutes"]).toBeGreaterThan(0);
  });

  it("never runs a fork's code with the base's rights", () => {
    expect(on).not.toHaveProperty("pull_request_target");
    expect(text).not.toMatch(/\bhead\.(sha|ref)\b.*\n.*ref:|^\s*ref:/m);
    for (const [, job] of Object.entries(jobs)) {
      const seesSecrets = /secrets\.|pull-requests: write|"write"/.test(JSON.stringify(job));
      // The rest of a condition narrows it: none has an `||` that is not in brackets.
      if ("pull_request" in on && seesSecrets)
        expect(outsideBrackets(job.if).split(" && ")).toContain(own);
    }
  });

  it("takes what others wrote by the environment, never into a script", () => {
    for (const { steps } of Object.values(jobs))
      for (const { run } of steps) expect(run ?? "").not.toContain("${{");
  });

  it("uses actions of GitHub's and its own, and leaves no token in the checkout", () => {
    for (const { steps } of Object.values(jobs))
      for (const { uses, with: inputs } of steps) {
        if (uses) expect(uses).toMatch(/^(actions\/[a-z-]+@v\d+|\.\/\.github\/actions\/\w+)$/);
        if (uses?.startsWith("actions/checkout"))
          expect(String(inputs?.["persist-credentials"])).toBe("false");
      }
  });

  it("runs scripts that are there", () => {
    const run = Object.values(jobs).flatMap(({ steps }) => steps.map((step) => step.run ?? ""));
    const told = run.flatMap((line) => [...line.matchAll(/npm run (?:--silent )?([a-z:]+)/g)]);
    for (const [, name] of told) expect(scripts).toHaveProperty(name as string);
    const own = run.flatMap((line) => [...line.matchAll(/\.github\/scripts\/[\w-]+\.sh/g)]);
    for (const [path] of own) expect(readFileSync(join(root, path), "utf8")).toMatch(/^#!/);
  });
});

describe("together", () => {
  it("a fork's pull request sees no secret, no engine and no right to write", () => {
    const { plans } = workflow("impact.yaml").jobs;
    expect(plans?.if).toBe(fork);
    expect(plans?.permissions).toBeUndefined();
    expect(JSON.stringify(plans)).not.toMatch(/secrets\.|token/i);
    expect(JSON.stringify(plans)).toContain("--no-preview");
  });

  it("--fail-on knows the labels that impact.yaml names", () => {
    const [, , text] = workflows.find(([name]) => name === "impact.yaml") ?? [];
    const [, accepted = "", otherwise = ""] =
      text?.match(/'impact-accepted'\) && '([\w,]+)' \|\| '([\w,]+)'/) ?? [];
    for (const label of [accepted, ...otherwise.split(",")])
      expect([...labels, "risk"]).toContain(label);
  });

  it("a stack is changed by one run at a time, and none is cut short", () => {
    for (const name of ["up.yaml", "drift.yaml"]) {
      for (const { concurrency } of Object.values(workflow(name).jobs))
        expect(concurrency).toEqual({
          group: expect.stringMatching(/^stack-\$\{\{ matrix\.stack \}\}$/),
          "cancel-in-progress": false,
        });
    }
  });

  describe("a cluster for a pull request", () => {
    const { up, down } = workflow("ephemeral.yaml").jobs as { up: Job; down: Job };
    const vars = { OSLO_CLUSTER_EPHEMERAL_FROM: "ephemeral.yaml" };
    const event = (action: string, labels: string[], label?: string, repository = "o/r") => ({
      repository: "o/r",
      event: {
        ...{ action, label: { name: label ?? "" } },
        pull_request: {
          head: { repo: { full_name: repository } },
          labels: labels.map((name) => ({ name })),
        },
      },
    });

    it.each([
      ["is made when the label is set", event("labeled", ["cluster"], "cluster"), "up"],
      ["is brought to each push", event("synchronize", ["cluster"]), "up"],
      ["is made again when it is opened again", event("reopened", ["cluster"]), "up"],
      ["goes when it is closed", event("closed", ["cluster"]), "down"],
      ["goes when the label is taken off", event("unlabeled", [], "cluster"), "down"],
      ["is not made without the label", event("synchronize", ["bug"]), "nothing"],
      ["does not care for other labels", event("labeled", ["cluster", "bug"], "bug"), "nothing"],
      ["nor for those taken off", event("unlabeled", ["cluster"], "bug"), "nothing"],
      ["is never a fork's", event("labeled", ["cluster"], "cluster", "fork/r"), "nothing"],
      ["nor does a fork take one down", event("closed", ["cluster"], "", "fork/r"), "nothing"],
    ])("%s", (_, github, expected) => {
      const made = [holds(up.if ?? "", github, vars), holds(down.if ?? "", github, vars)];
      expect(made).toEqual([expected === "up", expected === "down"]);
      expect([holds(up.if ?? "", github, {}), holds(down.if ?? "", github, {})]).toEqual([
        false,
        false,
      ]);
    });

    it("is worked on by one run at a time, and none is cut short", () => {
      for (const { concurrency } of [up, down])
        expect(concurrency).toEqual({
          // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's
          group: "ephemeral-pr-${{ github.event.pull_request.number }}",
          "cancel-in-progress": false,
        });
    });

    it("has an expiry, and a reaper that asks for nothing else", () => {
      expect(JSON.stringify(up.steps)).toMatch(/ephemeral -- up .*--ttl \d+h/);
      const { on, jobs } = workflow("reap.yaml");
      expect(on.schedule).toHaveLength(1);
      expect(JSON.stringify(jobs.reap?.steps)).toContain("npm run --silent ephemeral -- reap");
    });
  });

  it("drift is looked for every night, on machines and in the engine", () => {
    const { on, jobs } = workflow("drift.yaml");
    expect(on.schedule).toHaveLength(1);
    const run = JSON.stringify(jobs);
    expect(run).toContain("npm run --silent drift");
    expect(run).toContain("--expect-no-changes");
  });

  it("up holds the policy pack, and a second preview is empty", () => {
    const run = workflow("up.yaml")
      .jobs.up?.steps.map((step) => step.run)
      .join("\n");
    expect(run).toMatch(
      /^pulumi up .*--policy-pack policy --policy-pack-config policy\/config\.json$/m,
    );
    expect(run).toContain("--expect-no-changes");
  });
});

describe("comment.sh", () => {
  const place = mkdtempSync(join(tmpdir(), "comment-"));
  afterAll(() => rmSync(place, { recursive: true }));

  /** With a gh that answers with these comments, and writes down what it is asked. */
  async function comment(content: string, comments: object[]) {
    const [file, log, answer] = ["impact.md", "log", "answer"].map((name) => join(place, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(file, content);
    writeFileSync(log, "");
    writeFileSync(answer, JSON.stringify(comments));
    const fake = `#!/usr/bin/env bash
printf '%s\\n' "$*" >>'${log}'
while (($#)); do
  if [[ $1 == --jq ]]; then jq --raw-output "$2" '${answer}'; fi
  shift
done
`;
    writeFileSync(join(place, "gh"), fake);
    chmodSync(join(place, "gh"), 0o755);
    const result = await execa(join(root, ".github/scripts/comment.sh"), ["7", file], {
      reject: false,
      env: { PATH: `${place}:${process.env.PATH}`, GITHUB_REPOSITORY: "o/r" },
    });
    return { ...result, asked: readFileSync(log, "utf8").trim().split("\n") };
  }
  const text = `${marker}\n\nhello\n`;
  const bot = { type: "Bot" };

  it("puts up the first comment", async () => {
    const others = [
      { id: 1, user: { type: "User" }, body: text },
      { id: 2, user: bot, body: "of another workflow" },
    ];
    const { exitCode, asked } = await comment(text, others);
    expect(exitCode).toBe(0);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatch(/^api --method POST repos\/o\/r\/issues\/7\/comments -F body=@/);
  });

  it("edits the one that is there", async () => {
    const { exitCode, asked } = await comment(text, [{ id: 42, user: bot, body: `${text}older` }]);
    expect(exitCode).toBe(0);
    expect(asked[1]).toMatch(/^api --method PATCH repos\/o\/r\/issues\/comments\/42 -F body=@/);
  });

  it("labels the pull request with the worst label, in the place of an earlier one", async () => {
    const labelled = `${marker}\n<!-- label: recreate -->\n`;
    const { exitCode, asked } = await comment(labelled, [
      { id: 42, user: bot, body: labelled, name: "impact-live" },
      { id: 43, user: {}, body: "", name: "impact-accepted" },
    ]);
    expect(exitCode).toBe(0);
    expect(asked.slice(3)).toEqual([
      "api --method DELETE repos/o/r/issues/7/labels/impact-live --silent",
      "api --method POST repos/o/r/issues/7/labels -f labels[]=impact-recreate --silent",
    ]);
    const forged = await comment(`${marker}\n<!-- label: live$(id) -->\n`, []);
    expect(forged.asked.join()).not.toContain("labels");
  });

  it.each([
    ["another text", "hello"],
    ["an endless one", `${marker}\n${"x".repeat(300_000)}`],
  ])("refuses %s, before it asks anything", async (_, content) => {
    const { exitCode, stderr, asked } = await comment(content, []);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("not a comment of npm run impact");
    expect(asked).toEqual([""]);
  });
});
