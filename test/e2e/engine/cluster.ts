import { readFileSync } from "node:fs";
import type { Manifest } from "../../../plan/manifest.ts";
import type { ApiServer } from "../api-server.ts";
import type { DescribedCluster, DescribedObject } from "./objects.ts";
import type { Described } from "./program.ts";
import type { Sandbox } from "./sandbox.ts";

type Objects = (Manifest | DescribedObject)[];

/** More than objects: commands before them, a release after them, another provider. */
interface More extends Partial<Omit<DescribedCluster, "objects">> {
  commands?: Described[];
}

/** A namespace of its own in the API server, and a stack whose program puts objects into it. */
export class Tenant {
  readonly server: ApiServer;
  readonly box: Sandbox;
  readonly namespace: string;

  constructor(server: ApiServer, box: Sandbox, namespace: string) {
    this.server = server;
    this.box = box;
    this.namespace = namespace;
  }

  /** Of a kind that keeps what it is given. */
  thing(name: string, spec: object, metadata: object = {}): Manifest {
    const own = { name, namespace: this.namespace, ...metadata };
    return { apiVersion: "example.org/v1", kind: "Thing", metadata: own, spec };
  }

  configMap(name: string, data: Record<string, string>): Manifest {
    return {
      ...{ apiVersion: "v1", kind: "ConfigMap" },
      ...{ metadata: { name, namespace: this.namespace }, data },
    };
  }

  up(objects: Objects, more: More = {}) {
    return this.box.up(more.commands ?? [], this.described(objects, more));
  }

  preview(objects: Objects, more: More = {}) {
    return this.box.preview(more.commands ?? [], this.described(objects, more));
  }

  private described(objects: Objects, { commands: _, provider, ...rest }: More) {
    const kubeconfig = readFileSync(this.server.kubeconfig, "utf8");
    const cluster: DescribedCluster = {
      provider: { kubeconfig, clusterIdentifier: "test", upsertExistingObjects: true, ...provider },
      objects: objects.map((one) =>
        "manifest" in one ? (one as DescribedObject) : { manifest: one as Manifest },
      ),
      ...rest,
    };
    return { "demo:cluster": cluster };
  }

  /** The living object. @throws where it is not there */
  async get(kind: string, name: string): Promise<Living> {
    const args = ["get", kind, name, "--namespace", this.namespace, "--output", "json"];
    return JSON.parse(await this.server.kubectl(args)) as Living;
  }

  async isThere(kind: string, name: string): Promise<boolean> {
    const args = ["get", kind, name, "--namespace", this.namespace, "--ignore-not-found"];
    return (await this.server.kubectl(args)) !== "";
  }

  /** Another one's hand, by server-side apply. */
  async applyAs(manager: string, object: Manifest): Promise<void> {
    const args = ["apply", "--server-side", "--force-conflicts", `--field-manager=${manager}`];
    await this.server.kubectl(args, [object]);
  }
}

export interface Living {
  metadata: {
    uid: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    managedFields?: { manager: string }[];
  };
  spec: Record<string, unknown>;
  data: Record<string, string>;
}
