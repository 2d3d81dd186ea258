import type { ResourceValidationPolicy } from "@pulumi/policy";
import { leaks } from "../plan/secrets.ts";
import { isCommand, keysOf, known, textsOf } from "./texts.ts";

const secretKeys = ["privateKey", "privateKeyPassword", "password", "agentSocketPath"];

/** State keeps inputs; what is in them is in every backup of it. */
export const secretPolicy: ResourceValidationPolicy = {
  name: "no-secret-in-inputs",
  description: "No resource has a token, a key or a password among its inputs.",
  remediationSteps:
    "Keep SSH keys in the ssh-agent; make other secrets on the node, or hand them over by a pipe.",
  severity: "critical",
  validateResource: ({ props }, report) => {
    for (const what of leaks(textsOf(props))) report(`its inputs hold what looks like ${what}`);
    const keys = keysOf(known(() => props.connection));
    for (const key of secretKeys.filter((name) => keys.includes(name)))
      report(`its connection has ${key}: SSH keys stay in the ssh-agent`);
  },
};

/** Readings are on stdout, and a log is read by many. */
export const loggingPolicy: ResourceValidationPolicy = {
  name: "no-output-logged",
  description:
    "A command that reads or makes something logs stderr at most, and passes nothing on.",
  remediationSteps: "Set logging to stderr or none, and addPreviousOutputInEnv to false.",
  severity: "high",
  validateResource: ({ type, props }, report) => {
    if (!isCommand(type) || type.endsWith(":CopyToRemote")) return;
    const logging = known(() => props.logging) ?? "stdoutAndStderr";
    // What does nothing but at its delete prints what it has taken away.
    const onlyDeletes = known(() => props.create) === ":";
    if (!onlyDeletes && logging !== "stderr" && logging !== "none")
      report(`its logging is ${logging}: what it prints would be in the log`);
    if (known(() => props.addPreviousOutputInEnv) !== false)
      report("addPreviousOutputInEnv is not false: its output would be handed to the next run");
    if (known(() => props.environment) !== undefined)
      report("it has an environment: give what it needs on stdin");
  },
};
