import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import protocol, { type CheckRequest, type DiffRequest } from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { connectEngine, type Log } from "./engine.ts";
import { failed } from "./failed.ts";
import type { Change, Failure, Provider, Resource } from "./provider.ts";
import { structOf, type Values } from "./values.ts";

/**
 * Serves a provider to the engine that started this process, and ends after it: what runs when the
 * engine is gone runs to its end, as in a provider of Pulumi's own.
 */
export async function serveProvider(provider: Provider): Promise<void> {
  const server = new Server({ "grpc.max_receive_message_length": 400 * 1024 * 1024 });
  const log = connectEngine(process.argv.at(-1) ?? "");
  server.addService(ResourceProviderService, handlers(provider, log));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  console.log(String(port));
  process.stdin.resume().on("close", () => server.tryShutdown(() => process.exit()));
}

type Unary<Request, Response> = (call: Request) => Response | Promise<Response>;

/** One call of the protocol, in which an exception is the error that the user reads. */
function unary<Request, Response>(answer: Unary<Request, Response>) {
  return (call: ServerUnaryCall<Request, Response>, reply: sendUnaryData<Response>) => {
    Promise.resolve()
      .then(() => answer(call.request))
      .then(
        (response) => reply(null, response),
        (error: Error) => reply(failed(error)),
      );
  };
}

function handlers(provider: Provider, log: (urn: string) => Log) {
  const stop = new AbortController();
  const find = (request: { getType(): string; getUrn(): string; getName(): string }) => {
    const [name, urn] = [request.getName(), request.getUrn()];
    const context = { name, log: log(urn), signal: stop.signal };
    return { resource: provider.resource(request.getType()), context };
  };
  return {
    checkConfig: unary((request: CheckRequest) =>
      checked(provider.checkConfig?.(values(request.getNews())) ?? {}, values(request.getNews())),
    ),
    diffConfig: unary((request: DiffRequest) => {
      const old = values(request.getOldInputs() ?? request.getOlds());
      return changed(provider.diffConfig(old, values(request.getNews())));
    }),
    configure: unary((request: protocol.ConfigureRequest) => {
      provider.configure?.(values(request.getArgs()));
      const response = new protocol.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),
    check: unary((request: CheckRequest) => {
      const { resource, context } = find(request);
      const news = values(request.getNews());
      const old = request.getOlds();
      const result = resource.check(news, old && values(old), context.name);
      return checked(result, news);
    }),
    diff: unary((request: DiffRequest) => {
      const old = values(request.getOldInputs());
      return changed(find(request).resource.diff(old, values(request.getNews())));
    }),
    create: unary(async (request: protocol.CreateRequest) => {
      const { resource, context } = find(request);
      const inputs = values(request.getProperties());
      const made = await (request.getPreview()
        ? resource.foresee(inputs, context.name)
        : resource.create(inputs, context));
      const response = new protocol.CreateResponse();
      response.setId(made.id);
      response.setProperties(structOf(made.outputs));
      return response;
    }),
    update: unary(async (request: protocol.UpdateRequest) => {
      const { resource, context } = find(request);
      const inputs = values(request.getNews());
      const old = { id: request.getId(), outputs: values(request.getOlds()) };
      const outputs = await (request.getPreview()
        ? resource.foresee(inputs, context.name, old).outputs
        : resource.update(old, inputs, context));
      const response = new protocol.UpdateResponse();
      response.setProperties(structOf(outputs));
      return response;
    }),
    delete: unary(async (request: protocol.DeleteRequest) => {
      const { resource, context } = find(request);
      await resource.delete(
        { id: request.getId(), outputs: values(request.getProperties()) },
        context,
      );
      return new empty.Empty();
    }),
    read: unary(async (request: protocol.ReadRequest) => {
      const response = new protocol.ReadResponse();
      response.setId(request.getId());
      response.setProperties(request.getProperties());
      response.setInputs(request.getInputs());
      return response;
    }),
    getPluginInfo: unary(() => {
      const info = new plugin.PluginInfo();
      info.setVersion(provider.version);
      return info;
    }),
    cancel: unary(() => {
      stop.abort();
      return new empty.Empty();
    }),
  };
}

function checked({ inputs, failures = [] }: ReturnType<Resource["check"]>, news: Values) {
  const response = new protocol.CheckResponse();
  response.setInputs(structOf(inputs ?? news));
  response.setFailuresList(
    failures.map(({ property, reason }: Failure) => {
      const failure = new protocol.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      return failure;
    }),
  );
  return response;
}

const kinds = {
  add: [protocol.PropertyDiff.Kind.ADD, protocol.PropertyDiff.Kind.ADD_REPLACE],
  delete: [protocol.PropertyDiff.Kind.DELETE, protocol.PropertyDiff.Kind.DELETE_REPLACE],
  update: [protocol.PropertyDiff.Kind.UPDATE, protocol.PropertyDiff.Kind.UPDATE_REPLACE],
} as const;

function changed(changes: Change[]) {
  const { DIFF_NONE, DIFF_SOME } = protocol.DiffResponse.DiffChanges;
  const response = new protocol.DiffResponse();
  response.setChanges(changes.length === 0 ? DIFF_NONE : DIFF_SOME);
  response.setHasdetaileddiff(true);
  const top = ({ path }: Change) => path.split(/[.[]/)[0] as string;
  response.setDiffsList([...new Set(changes.map(top))]);
  response.setReplacesList([...new Set(changes.filter(({ replaces }) => replaces).map(top))]);
  response.setDeletebeforereplace(changes.some(({ deletesFirst }) => deletesFirst));
  for (const { path, kind, replaces } of changes) {
    const difference = new protocol.PropertyDiff();
    difference.setKind(kinds[kind][replaces ? 1 : 0]);
    difference.setInputdiff(true);
    response.getDetaileddiffMap().set(path, difference);
  }
  return response;
}

function values(properties: Struct | undefined): Values {
  return (properties?.toJavaScript() ?? {}) as Values;
}
