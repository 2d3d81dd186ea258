import type { ResourceValidationPolicy } from "@pulumi/policy";
import { isCommand, known, textsOf } from "./texts.ts";

const publicKey = /^(ssh|ecdsa|sk)-\S+ AAAA\S+/;

/** Nothing is reached whose host key is not pinned. */
export const hostKeyPolicy: ResourceValidationPolicy = {
  name: "host-key-pinned",
  description: "Every SSH connection pins the host key of its machine, and of the bastion.",
  remediationSteps: "Give the machine's ssh.hostKey in the stack's file.",
  severity: "critical",
  validateResource: ({ type, props }, report) => {
    if (!isCommand(type)) return;
    if (type.startsWith("command:remote:")) {
      // Unknown as a whole where a guest is not made yet: then the SDK says so, and `up` looks again.
      const { hostKey, proxy } = props.connection ?? {};
      if (!isPinned(hostKey)) report("its connection has no hostKey: any machine may answer");
      if (proxy && !isPinned(known(() => proxy.hostKey)))
        report("its connection's proxy has no hostKey: any machine may answer as the bastion");
    }
    const text = textsOf(props).join("\n");
    const calls = count(text, calling);
    if (
      calls > count(text, /StrictHostKeyChecking=yes/g) ||
      calls > count(text, /KnownHostsCommand=/g)
    )
      report("it calls ssh without StrictHostKeyChecking=yes and a pinned key (KnownHostsCommand)");
    if (/StrictHostKeyChecking[= ]+'?"?(no|off|accept-new|ask)\b/i.test(text))
      report("it calls ssh with StrictHostKeyChecking off");
  },
};

/** ssh and what runs over it, with options or a destination. Those of its kind take their options by ssh's `-o`. */
const calling =
  /(?<![\w./-])(?:ssh(?=\s+["']?(?:-|[\w.-]+@|[\w-]+(?:\.[\w-]+)+\b))|(?:scp|sftp|rsync)(?=\s+\S))/g;

function isPinned(hostKey: unknown): boolean {
  return typeof hostKey === "string" && publicKey.test(hostKey);
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}
