import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeWhere } from "../needs.ts";
import { Sysctls } from "./sysctl.ts";

const instances = "fs/inotify/max_user_instances";
const hasFlock = spawnSync("flock", ["--version"]).status === 0;

describeWhere(hasFlock, "flock")("settings that labs share with the machine", () => {
  let place: string;
  const of = (lab: string) => new Sysctls(lab, join(place, "run"), join(place, "sys"));
  const set = (value: string) => writeFileSync(join(place, "sys", instances), `${value}\n`);
  const read = () => readFileSync(join(place, "sys", instances), "utf8").trim();

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), "sysctl-"));
    mkdirSync(join(place, "run"));
    mkdirSync(join(place, "sys/fs/inotify"), { recursive: true });
    set("128");
  });
  afterEach(() => rmSync(place, { recursive: true }));

  it.each([
    ["128", "8192"],
    ["16384", "16384"],
  ])("are enough for all hosts together: %s is %s", async (before, during) => {
    set(before);
    await of("a").prepare();
    expect(read()).toBe(during);
    await of("a").restore();
    expect(read()).toBe(before);
  });

  it("are given back by the only lab", async () => {
    await of("a").prepare();
    set("16384");
    expect(await of("a").restore()).toEqual([instances]);
    expect(read()).toBe("128");
    expect(readdirSync(join(place, "run"))).toEqual([]);
  });

  it.each([
    ["the second", "b", "a"],
    ["the first", "a", "b"],
  ])("stay while another lab is up: %s leaves", async (_, leaves, stays) => {
    await of("a").prepare();
    set("16384");
    await of("b").prepare();
    expect(await of(leaves).restore()).toEqual([]);
    expect(read()).toBe("16384");
    expect(await of(stays).restore()).toEqual([instances]);
    expect(read()).toBe("128");
  });

  it("stay where a lab is taken down that was never up", async () => {
    await of("a").prepare();
    set("16384");
    expect(await of("b").restore()).toEqual([]);
    expect(read()).toBe("16384");
  });

  it("are those of before the first lab, also where it is brought up again", async () => {
    await of("a").prepare();
    set("16384");
    await of("a").prepare();
    expect(await of("a").restore()).toEqual([instances]);
    expect(read()).toBe("128");
  });

  it("count every lab, also where they come and leave at once", async () => {
    const labs = ["a", "b", "c", "d"];
    await Promise.all(labs.map((lab) => of(lab).prepare()));
    set("16384");
    const restored = await Promise.all(labs.map((lab) => of(lab).restore()));
    expect(restored.flat()).toEqual([instances]);
    expect(read()).toBe("128");
  });
});
