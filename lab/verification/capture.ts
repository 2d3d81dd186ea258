import { spawn } from "node:child_process";
import { once } from "node:events";
import { inNamespace } from "../shell.ts";

/** A running capture. */
export interface Capture {
  /** Ends it; answers a line per packet (with In or Out and the IP options). */
  stop(): Promise<string[]>;
}

/** Starts tcpdump on an interface in a network namespace; resolves once it is listening. */
export async function capture(netns: string, device: string, filter: string): Promise<Capture> {
  // `any` prints the direction of each packet; the interface's own address is what we look for.
  const [command = "", ...args] = inNamespace(netns, [
    ...["tcpdump", "-i", "any", "-n", "-l", "-v", "--immediate-mode", filter],
  ]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let packets = "";
  let messages = "";
  child.stdout.on("data", (chunk) => {
    packets += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk) => {
      messages += chunk;
      if (messages.includes("listening on")) resolve();
    });
    child.once("close", () => reject(new Error(`tcpdump: ${messages.trim()}`)));
  });
  return {
    stop: async () => {
      child.kill("SIGINT");
      if (child.exitCode === null) await once(child, "close");
      // -v breaks each packet into two lines.
      return packets
        .replaceAll(/\n\s+/g, " ")
        .split("\n")
        .filter((line) => line.includes(` ${device} `) || line.includes(`${device}`));
    },
  };
}
