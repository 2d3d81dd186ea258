import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import protocol from "@pulumi/pulumi/proto/engine_pb.js";

export type Log = (line: string) => void;

/** What shows lines as the progress of a resource, by the engine at an address. */
export function connectEngine(address: string): (urn: string) => Log {
  const engine = new EngineClient(address, credentials.createInsecure());
  return (urn) => (line) => {
    const request = new protocol.LogRequest();
    request.setSeverity(protocol.LogSeverity.INFO);
    request.setMessage(line);
    request.setUrn(urn);
    request.setEphemeral(true);
    // An engine that is gone needs no progress.
    engine.log(request, () => {});
  };
}
