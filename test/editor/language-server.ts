import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const program = join(
  dirname(require.resolve("yaml-language-server/package.json")),
  "bin/yaml-language-server",
);

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
}

export interface Diagnostic {
  message: string;
  range: { start: { line: number; character: number } };
}

/** The YAML language server of npm, by the language server protocol over its standard input and output. */
export class LanguageServer implements AsyncDisposable {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly waiting = new Map<number, (message: Message) => void>();
  private readonly diagnostics = new Map<string, (found: Diagnostic[]) => void>();
  private next = 1;
  private received = Buffer.alloc(0);

  constructor() {
    this.child = spawn(process.execPath, [program, "--stdio"], { stdio: "pipe" });
    this.child.stdout.on("data", (chunk: Buffer) => this.receive(chunk));
  }

  async start(rootUri: string): Promise<void> {
    const capabilities = { textDocument: { completion: {}, hover: {}, publishDiagnostics: {} } };
    await this.ask("initialize", { processId: process.pid, rootUri, capabilities });
    this.send({ method: "initialized", params: {} });
    const settings = { yaml: { validate: true, completion: true, hover: true, schemaStore: {} } };
    this.send({ method: "workspace/didChangeConfiguration", params: { settings } });
  }

  /** Opens a document, as an editor does. @returns what is wrong with it */
  open(uri: string, text: string): Promise<Diagnostic[]> {
    const found = new Promise<Diagnostic[]>((resolve) => this.diagnostics.set(uri, resolve));
    const textDocument = { uri, languageId: "yaml", version: 1, text };
    this.send({ method: "textDocument/didOpen", params: { textDocument } });
    return found;
  }

  ask(method: string, params: unknown): Promise<unknown> {
    const id = this.next++;
    const answer = new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result),
      );
    });
    this.send({ id, method, params });
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    await this.ask("shutdown", null);
    this.send({ method: "exit" });
    await ended;
  }

  private send(message: Message): void {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    this.child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.child.stdin.write(body);
  }

  private receive(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (;;) {
      const end = this.received.indexOf("\r\n\r\n");
      const [, length] = this.received.toString("latin1", 0, end).match(/Length: (\d+)/) ?? [];
      if (end < 0 || length === undefined) return;
      const [from, to] = [end + 4, end + 4 + Number(length)];
      if (this.received.length < to) return;
      const message: Message = JSON.parse(this.received.toString("utf8", from, to));
      this.received = this.received.subarray(to);
      this.handle(message);
    }
  }

  private handle(message: Message): void {
    const { id, method, params } = message;
    if (method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics } = params as { uri: string; diagnostics: Diagnostic[] };
      this.diagnostics.get(uri)?.(diagnostics);
    } else if (method !== undefined && id !== undefined) {
      // What it asks of an editor: its settings, of which it has all.
      const items = (params as { items?: unknown[] } | undefined)?.items;
      this.send({ id, result: items ? items.map(() => null) : null });
    } else if (id !== undefined) {
      this.waiting.get(id)?.(message);
      this.waiting.delete(id);
    }
  }
}
