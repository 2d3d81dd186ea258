import { join } from "node:path";
import { unpackPackages } from "../unpack.ts";

/** Paths of the programs that serve the mirrors. */
export interface Daemons {
  nginx: string;
  registry: string;
  chronyd: string;
}

const packages = ["nginx", "docker-registry", "chrony"];

/** nginx, docker-registry and chronyd, unpacked: installed, chrony would take over this machine's clock. */
export async function unpackDaemons(): Promise<Daemons> {
  const directory = await unpackPackages("daemons", packages);
  return {
    nginx: join(directory, "usr/sbin/nginx"),
    registry: join(directory, "usr/bin/docker-registry"),
    chronyd: join(directory, "usr/sbin/chronyd"),
  };
}
