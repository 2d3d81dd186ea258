import { test as base } from "vitest";
import type { ApiServer } from "../api-server.ts";
import { Tenant } from "./cluster.ts";
import { Sandbox } from "./sandbox.ts";

let nth = 0;

/**
 * Tests in a namespace of their own each.
 * @param path where plugins are looked for
 * @param shared what `beforeAll` has made: Pulumi's command line, the API server, directories of more programs
 */
export function tenants(
  path: string,
  shared: () => { cli: string; server: ApiServer; programs?: string[] },
) {
  const tenantIn = (namespace: string) => {
    const { cli, server, programs = [] } = shared();
    const PATH = [server.programs, ...programs, path].join(":");
    const tools = { PATH, KUBECONFIG: server.kubeconfig };
    return new Tenant(server, new Sandbox(cli, path, tools), namespace);
  };
  const test = base.extend<{ tenant: Tenant }>({
    tenant: async ({ task: _ }, use) => {
      const namespace = `tenant-${nth++}`;
      await shared().server.kubectl(["create", "namespace", namespace]);
      const tenant = tenantIn(namespace);
      await use(tenant);
      tenant.box.remove();
    },
  });
  return { test, tenantIn };
}
