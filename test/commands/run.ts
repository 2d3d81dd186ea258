import { join } from "node:path";
import { Readable } from "node:stream";
import { execa } from "execa";
import { execute } from "../../commands/program.ts";
import { temporaryDirectory } from "../../commands/temporary.ts";
import { root } from "../root.ts";

export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
}

interface Options {
  /** @default examples/, where the tests' stacks are */
  cwd?: string;
  /** Undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  /** Standard input. @default empty */
  input?: string;
}

let turn: Promise<unknown> = Promise.resolve();

/** Runs a command in this process, one after the other: a process of its own takes half a second. */
export function runCommand(...words: string[]): Promise<Ran> {
  return runCommandIn({}, ...words);
}

/** Runs a command elsewhere, or with other variables. */
export function runCommandIn(options: Options, ...words: string[]): Promise<Ran> {
  const ran = turn.then(() => runHere(words, options));
  turn = ran.catch(() => undefined);
  return ran;
}

/** Runs a command as a process: for what only one has, such as its standard input and its end. */
export async function runProcess(...words: string[]): Promise<Ran> {
  using own = variables();
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [join(root, "commands/main.ts"), ...words],
    { cwd: join(root, "examples"), reject: false, stdin: "ignore", env: own.env },
  );
  return { exitCode: exitCode ?? -1, stdout, stderr };
}

async function runHere(
  words: readonly string[],
  { cwd = join(root, "examples"), env = {}, input = "" }: Options,
): Promise<Ran> {
  using own = variables();
  const before = { cwd: process.cwd(), exitCode: process.exitCode };
  const setBack = setVariables({ ...own.env, ...env });
  const stdin = Object.getOwnPropertyDescriptor(process, "stdin") as PropertyDescriptor;
  Object.defineProperty(process, "stdin", { ...stdin, get: () => Readable.from([input]) });
  const [stdout, stderr] = [captured("stdout"), captured("stderr")];
  process.chdir(cwd);
  process.exitCode = undefined;
  try {
    await execute(words);
    const exitCode = Number(process.exitCode ?? 0);
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.exitCode = before.exitCode;
    process.chdir(before.cwd);
    for (const stream of [stdout, stderr]) stream.restore();
    Object.defineProperty(process, "stdin", stdin);
    setBack();
  }
}

/** @returns what sets them back to what they were */
function setVariables(values: Record<string, string | undefined>): () => void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(values)) set(name, value);
  return () => {
    for (const [name, value] of before) set(name, value);
  };
}

/** What is written to a stream, by the console as well, without its last line's end. */
function captured(name: "stdout" | "stderr") {
  const stream = process[name];
  const method = name === "stdout" ? "log" : "error";
  const [write, log] = [stream.write, console[method]];
  let text = "";
  stream.write = (chunk: string | Uint8Array) => {
    text += chunk;
    return true;
  };
  console[method] = (...values: unknown[]) => {
    text += `${values.join(" ")}\n`;
  };
  return {
    text: () => text.replace(/\n$/, ""),
    restore() {
      stream.write = write;
      console[method] = log;
    },
  };
}

/** A command remembers nothing of another one's, and nobody's keys are offered to anybody. */
function variables(): Disposable & { env: Record<string, string> } {
  const state = temporaryDirectory();
  return {
    env: { XDG_STATE_HOME: state.path, SSH_AUTH_SOCK: "/none" },
    [Symbol.dispose]: state[Symbol.dispose],
  };
}
