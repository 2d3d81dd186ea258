import { existsSync, readFileSync } from "node:fs";
import type { LabFacts } from "./facts.ts";

/** Bit of CAP_SYS_RESOURCE in a capability mask, as in linux/capability.h. */
const sysResource = 24n;

/** Finds out what this machine can give to its hosts. */
export function describeMachine(): LabFacts["machine"] {
  const mask = /^CapBnd:\t([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return {
    cgroupVersion: existsSync("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1,
    lowersOomScore: ((BigInt(`0x${mask ?? "0"}`) >> sysResource) & 1n) === 1n,
  };
}
