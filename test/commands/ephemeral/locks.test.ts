import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { thisHost } from "../../../commands/ephemeral/context.ts";
import { engineLockFile, locksOf, underLock } from "../../../commands/ephemeral/locks.ts";
import { root } from "../../root.ts";

const place = mkdtempSync(join(tmpdir(), "locks-"));
const former = process.env.XDG_STATE_HOME;
beforeAll(() => {
  process.env.XDG_STATE_HOME = place;
});
afterAll(() => {
  if (former === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = former;
  rmSync(place, { recursive: true });
});

const url = "file:///x";

it("a name's lock is held by one, and free when it is given back; another name's is another", async () => {
  const locks = locksOf(url);
  {
    await using first = await locks.name("a");
    expect(first).toBeDefined();
    expect(await locks.name("a")).toBeUndefined();
    await using other = await locks.name("b");
    await using elsewhere = await locksOf("file:///y").name("a");
    expect([other, elsewhere].includes(undefined)).toBe(false);
  }
  await using again = await locks.name("a");
  expect(again).toBeDefined();
});

it("who has other locks counts as another machine", () => {
  const mine = thisHost();
  expect(thisHost()).toBe(mine);
  expect(mine).toMatch(/^\S+-[0-9a-f]{8}$/);
  process.env.XDG_STATE_HOME = join(place, "another");
  try {
    expect(thisHost()).not.toBe(mine);
  } finally {
    process.env.XDG_STATE_HOME = place;
  }
});

it("a lock ends with a process that is killed", async () => {
  const module = JSON.stringify(join(root, "commands/ephemeral/locks.ts"));
  const program = `const { locksOf } = await import(${module}); const held = await locksOf("${url}").name("k"); console.log(held ? "held" : "busy"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await once(holder.stdout, "data");
  expect(String(said).trim()).toBe("held");
  expect(await locksOf(url).name("k")).toBeUndefined();
  holder.kill("SIGKILL");
  await once(holder, "exit");
  await expect
    .poll(async () => {
      await using lock = await locksOf(url).name("k");
      return lock !== undefined;
    })
    .toBe(true);
});

/** A CLI that says what it got, and works until a file is there. */
async function cli(limit: number) {
  const [file, until, log] = ["pulumi-real", "until", "log"].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  rmSync(until, { force: true });
  writeFileSync(log, "");
  writeFileSync(
    file,
    `#!/usr/bin/env bash\ntrap 'echo interrupted >>${log}; exit 1' INT\necho "$*" >>${log}\nwhile [[ ! -e ${until} ]]; do sleep 0.05; done\n`,
  );
  chmodSync(file, 0o755);
  const under = underLock(engineLockFile(url, "ephemeral-a"), limit);
  const [flock = "", ...args] = [...under, file, "up", "--yes"];
  const start = () => execa(flock, args, { reject: false });
  const child = start();
  await expect.poll(() => readFileSync(log, "utf8")).toContain("up --yes");
  return { child, start, log, finish: () => writeFileSync(until, "") };
}

it("an engine is known to work for as long as it does, and no second one starts", async () => {
  const { child, start, finish } = await cli(60);
  expect(await locksOf(url).engineEnds("ephemeral-a", 0)).toBe(false);
  const second = await start();
  expect(second.exitCode).toBe(75);
  finish();
  expect((await child).exitCode).toBe(0);
  expect(await locksOf(url).engineEnds("ephemeral-a", 0)).toBe(true);
});

it("an engine is asked to stop when its time is over", async () => {
  // Long enough for it to have begun, on a busy machine too.
  const { child, log } = await cli(5);
  expect((await child).exitCode).toBe(124);
  expect(readFileSync(log, "utf8")).toContain("interrupted");
  expect(await locksOf(url).engineEnds("ephemeral-a", 0)).toBe(true);
});
