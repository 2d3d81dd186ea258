import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { labels } from "../commands/impact/report.ts";
import { root } from "./root.ts";

interface Step {
  id?: string;
  if?: string;
  uses?: string;
  run?: string;
  with?: Record<string, string>;
  env?: Record<string, string>;
}
interface Job {
  if?: string;
  needs?: string | string[];
  environment?: string;
  env?: Record<string, string>;
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

/** A condition without what is in brackets; with an `||` outside of them it is no list of conditions. */
function outsideBrackets(condition = ""): string {
  let text = condition;
  while (/\([^()]*\)/.test(text)) text = text.replace(/\([^()]*\)/g, "");
  return text.includes("||") ? "" : text;
}

const secretsOf = (text: string) =>
  [...text.matchAll(/secrets\.(\w+)/g)].map(([, name]) => name as string);

describe.each(workflows)("%s", (_, { on, permissions, jobs }, text) => {
  it("may read alone, but where a job says what it writes, and ends", () => {
    expect(permissions).toEqual({ contents: "read" });
    for (const job of Object.values(jobs)) expect(job["timeout-minutes"]).toBeGreaterThan(0);
  });

  it("runs a pull request's code without a secret that writes, and without the right to write", () => {
    for (const job of Object.values(jobs)) {
      const text = JSON.stringify(job);
      if (!("pull_request" in on)) continue;
      expect(Object.values(job.permissions ?? {})).not.toContain("write");
      expect(secretsOf(text).filter((name) => name !== "PULUMI_CONFIG_PASSPHRASE")).toEqual([]);
      expect(job["runs-on"]).toBe("ubuntu-latest");
      // The rest of a condition narrows it: none has an `||` that is not in brackets.
      if (secretsOf(text).length > 0) {
        expect(outsideBrackets(job.if).split(" && ")).toContain(own);
        expect(job.environment).toBe("preview");
      }
    }
  });

  it("takes no other revision than main or the event's, but the commit that a review approved", () => {
    for (const [name, { needs, steps, environment }] of Object.entries(jobs))
      for (const { with: inputs } of steps) {
        if (!inputs || !("ref" in inputs)) continue;
        expect([name, environment, needs]).toEqual(["up", "ephemeral", "environments"]);
        // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's
        expect(inputs.ref).toBe("${{ needs.environments.outputs.commit }}");
      }
  });

  it("gives secrets to jobs of an environment, and there to single steps", () => {
    for (const job of Object.values(jobs)) {
      if (secretsOf(JSON.stringify(job)).length > 0) expect(job.environment).toBeTruthy();
      const { steps, ...rest } = job;
      expect(JSON.stringify(rest)).not.toMatch(/secrets\.|github\.token/);
      for (const { uses, with: inputs } of steps)
        if (uses) expect(JSON.stringify(inputs ?? {})).not.toContain("secrets.");
    }
    expect(text.split("jobs:")[0]).not.toContain("secrets.");
  });

  it("has separate runners, states and keys: each from what was found separate", () => {
    for (const job of Object.values(jobs)) {
      if (!job.environment || job.environment === "preview") continue;
      expect(job["runs-on"]).toMatch(
        /^\$\{\{ (matrix\.runner|fromJSON\(needs\.environments\.outputs\.ephemeral\)\.runner) \}\}$/,
      );
      expect([job.needs].flat()).toContain("environments");
      const read = jobs.environments?.steps.find(({ id }) => id === "read");
      expect(read?.run).toMatch(
        /^\.github\/scripts\/environments\.sh \.github\/environments\.json/,
      );
      expect(read?.env).toHaveProperty("GH_TOKEN");
      expect(JSON.stringify(job)).not.toContain("vars.");
    }
  });

  it("ends the ssh-agent that it has started, whatever happens", () => {
    for (const { steps } of Object.values(jobs)) {
      const started = steps.findIndex(({ run }) => run?.endsWith("ssh-agent.sh start"));
      if (started < 0) continue;
      const { env } = steps[started] as Step;
      expect(env).toHaveProperty("SSH_KEY_FINGERPRINT");
      const stops = steps.slice(started).filter(({ run }) => run?.endsWith("ssh-agent.sh stop"));
      expect(stops.map((step) => step.if)).toEqual(["always()"]);
    }
  });

  it("takes what others wrote by the environment, never into a script", () => {
    for (const { steps } of Object.values(jobs))
      for (const { run } of steps) expect(run ?? "").not.toContain("${{");
  });

  it("uses actions of GitHub's by their commit, and its own; leaves no token in the checkout", () => {
    for (const { steps } of Object.values(jobs))
      for (const { uses, with: inputs } of steps) {
        if (uses)
          expect(uses).toMatch(/^(actions\/[a-z-]+@[0-9a-f]{40}|\.\/\.github\/actions\/\w+)$/);
        if (uses?.startsWith("actions/checkout"))
          expect(String(inputs?.["persist-credentials"])).toBe("false");
      }
  });

  it("runs scripts that are there", () => {
    const run = Object.values(jobs).flatMap(({ steps }) => steps.map((step) => step.run ?? ""));
    const named = run.flatMap((line) => [...line.matchAll(/npm run (?:--silent )?([a-z:]+)/g)]);
    for (const [, name] of named) expect(scripts).toHaveProperty(name as string);
    const own = run.flatMap((line) => [...line.matchAll(/\.github\/scripts\/[\w-]+\.sh/g)]);
    for (const [path] of own) expect(readFileSync(join(root, path), "utf8")).toMatch(/^#!/);
  });
});

describe("together", () => {
  it("a fork's pull request sees no secret, no engine and no right to write", () => {
    const { plans } = workflow("impact.yaml").jobs;
    expect(plans?.if).toBe(fork);
    expect(plans?.permissions).toEqual({ contents: "read", "pull-requests": "read" });
    expect(plans?.environment).toBeUndefined();
    expect(secretsOf(JSON.stringify(plans))).toEqual([]);
    expect(JSON.stringify(plans)).toContain("--no-preview");
  });

  it("no workflow decides by a label or by who wrote one, and --fail-on knows the labels", () => {
    for (const [, , text] of workflows) expect(text).not.toContain("labels.*.name");
    const text = readFileSync(join(root, ".github/scripts/fail-on.sh"), "utf8");
    const named = [...text.matchAll(/fail-on=([\w,]+)"/g)].flatMap(([, list = ""]) =>
      list.split(","),
    );
    expect(named).toContain("recreate");
    for (const label of named) expect([...labels, "risk"]).toContain(label);
  });

  it("a stack is changed by one run at a time, and none is cut short", () => {
    for (const name of ["up.yaml", "drift.yaml"]) {
      const { up, drift } = workflow(name).jobs;
      for (const { concurrency } of [up ?? drift] as Job[])
        expect(concurrency).toEqual({
          group: expect.stringMatching(/^stack-\$\{\{ matrix\.stack \}\}$/),
          "cancel-in-progress": false,
        });
    }
  });

  describe("a cluster for a pull request", () => {
    const { up, down } = workflow("ephemeral.yaml").jobs as { up: Job; down: Job };

    it("is made of what main's script says, in an environment of main's", () => {
      expect(up.if).toBe("needs.environments.outputs.action == 'up'");
      expect(down.if).toBe("needs.environments.outputs.action == 'down'");
      const { on, jobs } = workflow("ephemeral.yaml");
      // Both run main's workflow, whatever the pull request says.
      expect(Object.keys(on)).toEqual(["pull_request_target", "workflow_run"]);
      const decide = jobs.environments?.steps.find(({ id }) => id === "decide");
      expect(decide?.run).toContain(".github/scripts/cluster.sh");
    });

    it("is worked on by one run at a time, and none is cut short", () => {
      for (const { concurrency } of [up, down])
        expect(concurrency).toEqual({
          // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's
          group: "ephemeral-pr-${{ needs.environments.outputs.number }}",
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

  it("up is of main alone, of approved commits, under the policy pack, and a second preview is empty", () => {
    const { environments, up } = workflow("up.yaml").jobs;
    expect(environments?.if).toBe("github.ref == 'refs/heads/main'");
    const before = environments?.steps.map(({ run }) => run ?? "") ?? [];
    expect(before.filter((run) => run.includes("merged.sh"))).toHaveLength(1);
    expect(up?.steps.some(({ run }) => run?.startsWith(".github/scripts/up.sh"))).toBe(true);
    const run = readFileSync(join(root, ".github/scripts/up.sh"), "utf8");
    expect(run).toMatch(
      /^pulumi up .*--policy-pack policy --policy-pack-config policy\/config\.json$/m,
    );
    expect(run).toMatch(/^pulumi preview --expect-no-changes /m);
  });

  it("no package's script runs, and one version of Pulumi is pinned", () => {
    const prepare = readFileSync(join(root, ".github/actions/prepare/action.yaml"), "utf8");
    expect(prepare).toContain("npm ci --ignore-scripts");
    expect(prepare).not.toMatch(/npm install|setup-node/);
    const version = readFileSync(join(root, ".pulumi.version"), "utf8").trim();
    const lab = readFileSync(join(root, "test/lab/artifacts/modules/pulumi/go.mod"), "utf8");
    expect(lab).toContain(`github.com/pulumi/pulumi/pkg/v3 v${version}`);
  });
});
