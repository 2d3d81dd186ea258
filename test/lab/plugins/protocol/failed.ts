import { Metadata, type ServerErrorResponse, status } from "@grpc/grpc-js";
import protocol from "@pulumi/pulumi/proto/provider_pb.js";
import answer from "@pulumi/pulumi/proto/status_pb.js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import { Incomplete } from "./provider.ts";
import { structOf } from "./values.ts";

/** The error as the engine reads it: of what is incomplete, with what it keeps in the state. */
export function failed(error: Error): Partial<ServerErrorResponse> {
  const response = { code: status.UNKNOWN, details: error.message };
  if (!(error instanceof Incomplete)) return response;
  const detail = new protocol.ErrorResourceInitFailed();
  detail.setId(error.made.id);
  detail.setProperties(structOf(error.made.outputs));
  detail.setReasonsList([error.message]);
  const packed = new any.Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const whole = new answer.Status();
  whole.setCode(status.UNKNOWN);
  whole.setMessage(error.message);
  whole.addDetails(packed);
  const metadata = new Metadata();
  // Where gRPC carries an error's details: github.com/grpc/proposal, L44.
  metadata.add("grpc-status-details-bin", Buffer.from(whole.serializeBinary()));
  return { ...response, metadata };
}
