import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parse } from "yaml";
import type { ProcessOptions } from "../steps/ssh/process.ts";

type Run = (command: readonly string[], options?: ProcessOptions) => Promise<string>;

/** Of a kubeconfig's user: the command that kubectl asks for a credential. */
interface Exec {
  apiVersion: string;
  command: string;
  args?: string[];
  env?: { name: string; value: string }[];
  interactiveMode: string;
  provideClusterInfo?: boolean;
}

interface Credential {
  /** The kubeconfig that it was asked for. */
  of: string;
  /** In milliseconds since 1970. */
  expires: number;
  /** As the command prints it: an ExecCredential. */
  text: Promise<string>;
}

const user = "oslo-cluster-given-credential";
const given = join(import.meta.dirname, "given-credential.yaml");
/** One that ends within that time is not used any more, in milliseconds: a kubectl may take as long. */
const least = 5 * 60_000;

/**
 * kubectl by a kubeconfig whose `exec` command is asked once, and not by each kubectl: it is a login on a control
 * plane, which makes a key and a certificate, and takes longer than most questions. The credential is in kubectl's
 * environment, which its own user and root can read, and in no file. A kubeconfig without such a command, or with
 * one that may ask a person, is used as it is.
 *
 * @param kubeconfig its file, which is read at each call
 * @param run runs a command on this machine, with `env` added to its own
 * @returns takes kubectl's arguments; throws what the `exec` command says where it fails, and the next call asks again
 */
export function kubectlOf(kubeconfig: string, run: Run): Run {
  let known: Credential | undefined;
  const credential = (of: string, exec: Exec) => {
    if (known?.of !== of || known.expires < Date.now() + least) {
      const asked: Credential = {
        of,
        expires: Number.POSITIVE_INFINITY,
        text: ask(exec, run).then((text) => {
          asked.expires = endOf(text);
          return text;
        }),
      };
      asked.text.catch(() => {
        if (known === asked) known = undefined;
      });
      known = asked;
    }
    return known.text;
  };
  return async (args, options = {}) => {
    const text = readFileSync(kubeconfig, "utf8");
    const exec = execOf(text);
    if (exec === undefined) return run(["kubectl", "--kubeconfig", kubeconfig, ...args], options);
    const env = {
      KUBECONFIG: [kubeconfig, given].join(delimiter),
      OSLO_CLUSTER_CREDENTIAL: await credential(text, exec),
    };
    options.signal?.throwIfAborted();
    return run(["kubectl", "--user", user, ...args], { ...options, env });
  };
}

/** The command of the user of the current context, where it needs nothing but to be run. */
function execOf(kubeconfig: string): Exec | undefined {
  const { "current-context": current, contexts, users } = parse(kubeconfig) ?? {};
  const named = <T extends { name: string }>(list: T[] | undefined, name: unknown) =>
    list?.find((one) => one.name === name);
  const context = named<{ name: string; context: { user: string } }>(contexts, current)?.context;
  const exec = named<{ name: string; user: { exec?: Exec } }>(users, context?.user)?.user.exec;
  return exec?.interactiveMode === "Never" && !exec.provideClusterInfo ? exec : undefined;
}

function ask({ apiVersion, command, args = [], env }: Exec, run: Run): Promise<string> {
  const info = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
  const own = (env ?? []).map(({ name, value }) => [name, value]);
  return run([command, ...args], {
    env: { ...Object.fromEntries(own), KUBERNETES_EXEC_INFO: JSON.stringify(info) },
  });
}

function endOf(credential: string): number {
  const { expirationTimestamp } = JSON.parse(credential).status;
  return expirationTimestamp === undefined
    ? Number.POSITIVE_INFINITY
    : Date.parse(expirationTimestamp);
}
