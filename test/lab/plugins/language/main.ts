import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import protocol, {
  type ProgramInfo,
  type RunPluginRequest,
  type RunRequest,
} from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { versionOf } from "../protocol/version.ts";

// Pulumi's language host for Node.js, as far as it runs programs and policy packs: it starts the
// SDK's own runners. It installs nothing, and what packages a program needs is on PATH.

/** The SDK's exit status for errors that it has shown already. */
const errorsShown = 32;

const engine = process.argv.at(-1) ?? "";
const children = new Set<ReturnType<typeof spawn>>();

function run(call: ServerUnaryCall<RunRequest, unknown>, reply: sendUnaryData<unknown>): void {
  const request = call.request;
  const info = request.getInfo() as ProgramInfo;
  const flags: Record<string, string> = {
    monitor: request.getMonitorAddress(),
    engine,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    "root-directory": info.getRootDirectory(),
    parallel: String(request.getParallel()),
  };
  const args = Object.entries(flags).flatMap(([name, value]) =>
    value === "" ? [] : [`--${name}`, value],
  );
  const dryRun = request.getDryrun() ? ["--dry-run"] : [];
  const program = [...args, ...dryRun, info.getEntryPoint() || ".", ...request.getArgsList()];
  const child = start("run", info, program, {
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  });
  child.stdout?.pipe(process.stdout, { end: false });
  child.stderr?.pipe(process.stderr, { end: false });
  child.on("error", (error) => reply({ code: status.UNKNOWN, details: error.message }));
  child.on("close", (code, signal) => {
    const response = new protocol.RunResponse();
    if (code === errorsShown) response.setBail(true);
    else if (signal !== null) response.setError(`Program was ended by ${signal}`);
    else if (code !== 0) response.setError(`Program exited with non-zero exit code: ${code}`);
    reply(null, response);
  });
}

function runPlugin(call: ServerWritableStream<RunPluginRequest, unknown>): void {
  const request = call.request;
  const info = request.getInfo() as ProgramInfo;
  const runner = request.getKind() === "analyzer" ? "run-policy-pack" : "run-plugin";
  const [address = "", ...rest] = request.getArgsList();
  const program = info.getProgramDirectory();
  const args = runner === "run-policy-pack" ? [address, program, ...rest] : [program, address];
  const given = request.getEnvList().map((pair) => pair.match(/^([^=]*)=(.*)$/s)?.slice(1) ?? []);
  const child = start(runner, info, args, Object.fromEntries(given), request.getPwd());
  const send = (fill: (response: protocol.RunPluginResponse) => void) => {
    const response = new protocol.RunPluginResponse();
    fill(response);
    call.write(response);
  };
  child.stdout?.on("data", (chunk) => send((response) => response.setStdout(chunk)));
  child.stderr?.on("data", (chunk) => send((response) => response.setStderr(chunk)));
  child.on("error", (error) => call.destroy(error));
  child.on("close", (code) => {
    send((response) => response.setExitcode(code ?? 1));
    call.end();
  });
  call.on("cancelled", () => child.kill());
}

/** Starts one of the SDK's runners, of the SDK that the program itself has. */
function start(
  runner: string,
  info: ProgramInfo,
  args: string[],
  env: Record<string, string>,
  cwd = info.getProgramDirectory(),
) {
  const options = info.getOptions()?.toJavaScript() ?? {};
  const resolve = createRequire(join(info.getProgramDirectory(), "package.json")).resolve;
  const nodeArgs = String(options.nodeargs ?? "")
    .split(" ")
    .filter(Boolean);
  const child = spawn(
    process.execPath,
    [...nodeArgs, resolve(`@pulumi/pulumi/cmd/${runner}`), ...args],
    {
      cwd,
      env: {
        ...process.env,
        PULUMI_NODEJS_TYPESCRIPT: String(options.typescript ?? true),
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  children.add(child);
  child.on("close", () => children.delete(child));
  return child;
}

type Reply = sendUnaryData<unknown>;

const server = new Server();
server.addService(LanguageRuntimeService, {
  handshake: (_: unknown, reply: Reply) => reply(null, new protocol.LanguageHandshakeResponse()),
  getPluginInfo: (_: unknown, reply: Reply) => {
    const info = new plugin.PluginInfo();
    info.setVersion(versionOf("@pulumi/pulumi"));
    reply(null, info);
  },
  getRequiredPackages: (_: unknown, reply: Reply) =>
    reply(null, new protocol.GetRequiredPackagesResponse()),
  run,
  runPlugin,
  cancel: (_: unknown, reply: Reply) => {
    for (const child of children) child.kill("SIGINT");
    reply(null, new empty.Empty());
  },
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(String(port));
});
// The engine is gone.
process.stdin.resume().on("close", () => {
  for (const child of children) child.kill();
  process.exit();
});
