/** One end of a connection, as the provider's inputs describe it. */
export interface Endpoint {
  host: string;
  port: number;
  user: string;
  hostKey?: string | undefined;
  agentSocketPath?: string | undefined;
  perDialTimeout: number;
  dialErrorLimit: number;
  password?: undefined;
  privateKey?: undefined;
  privateKeyPassword?: undefined;
}

/** Everything before the destination on ssh's command line, with the host's key pinned and the agent's keys. */
export function sshArguments(connection: Endpoint & { proxy?: Endpoint | undefined }): string[] {
  const { proxy } = connection;
  if (!proxy) return endpointArguments(connection);
  const inner = ["ssh", ...endpointArguments(proxy)].map(shellWord).join(" ");
  const jump = `${inner.replaceAll("%", "%%")} -W '[%h]:%p' -- ${shellWord(proxy.host)}`;
  return [...endpointArguments(connection), "-o", `ProxyCommand=${jump}`];
}

function endpointArguments(to: Endpoint): string[] {
  const options = {
    BatchMode: "yes",
    ...pinned(to.hostKey),
    UserKnownHostsFile: "none",
    GlobalKnownHostsFile: "none",
    IdentityFile: "none",
    ...(to.agentSocketPath === undefined ? {} : { IdentityAgent: to.agentSocketPath }),
    PreferredAuthentications: "publickey",
    ...(to.perDialTimeout === 0 ? {} : { ConnectTimeout: to.perDialTimeout }),
    // The provider's TCP connection gives up a silent peer after ten probes, 15 seconds apart.
    ServerAliveInterval: 15,
    ServerAliveCountMax: 10,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  return ["-F", "none", "-T", ...flags, "-p", String(to.port), "-l", to.user];
}

/** Without a key, any host is taken for the right one, as the provider does. */
function pinned(hostKey: string | undefined): Record<string, string> {
  if (hostKey === undefined) return { StrictHostKeyChecking: "no", LogLevel: "ERROR" };
  const [type, key] = hostKey.split(" ");
  // %H is the host as ssh looks it up, `[host]:port` included.
  return { StrictHostKeyChecking: "yes", KnownHostsCommand: `/bin/echo %H ${type} ${key}` };
}

function shellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
