import { hostPort } from "../../config/cidr.ts";
import type { Config } from "../../config/config.ts";
import { apiBalancerPort } from "../../config/ports.ts";
import { effect } from "../effect.ts";
import { directory, localEndpoint } from "../kubeadm.ts";
import { defineStep } from "../step.ts";

/** Above this, a check each second from every node to every control plane is too much. */
const manyNodes = 20;

/**
 * Every node's own way to the API: haproxy on the loopback interface, which leaves a control plane that
 * is not ready within seconds, and cuts connections to it, so that idle watches begin again elsewhere.
 */
export const apiBalancer = defineStep({
  name: "api-balancer",
  resource: "runtime",
  document: (config) => ({
    vars: { READYZ: `https://${localEndpoint(config)}/readyz` },
    files: {
      [`${directory}/haproxy.cfg`]: haproxy(config),
      "/etc/systemd/system/oslo-cluster-api.service": unit,
    },
  }),
  effects: {
    default: effect("live", "haproxy is reloaded; connections move within 15 s"),
  },
});

function haproxy({ cluster, network, nodes, kubernetes }: Config): string {
  const interval = nodes.length > manyNodes ? "2s" : "1s";
  const suspicious = nodes.length > manyNodes ? "1s" : "500ms";
  // A check that meets an election fails after 2 s, and the next begins half a second later: so many fit into one.
  const fall = 1 + Math.ceil((2 * kubernetes.etcd.electionMilliseconds) / 2500);
  const binds = network.families.map((family) =>
    hostPort(family === 4 ? "127.0.0.1" : "::1", apiBalancerPort),
  );
  const servers = nodes
    .filter(({ role }) => role === "control-plane")
    .map(
      ({ name, addresses }) =>
        `server ${name} ${hostPort(addresses[0] as string, cluster.endpoint.port)}`,
    );
  return `global
  # After a reload the former process checks nothing any more: end it with its connections.
  hard-stop-after 15s
  stats socket /run/oslo-cluster-api/admin.sock mode 600 level admin

defaults
  mode tcp
  timeout connect 1s
  # An API server answers after this long at most that its etcd has no leader. Dead and hung ones do not come so far:
  # they fail the check within timeout connect.
  timeout check 2s
  # Clients' HTTP/2 pings come each 30 s.
  timeout client 10m
  timeout server 10m
  option redispatch 1

frontend api
${binds.map((bind) => `  bind ${bind}`).join("\n")}
  default_backend control-planes

backend control-planes
  balance leastconn
  # An API server without its etcd still takes connections; one that is just starting refuses what is allowed.
  option httpchk
  http-check send meth GET uri /readyz
  http-check expect status 200
  # TLS passes through to clients, who verify it; the check alone does not.
  default-server check check-ssl verify none inter ${interval} fastinter ${suspicious} downinter ${interval} fall ${fall} rise 2 on-marked-down shutdown-sessions
${servers.map((server) => `  ${server}`).join("\n")}
`;
}

/** A unit of its own: the distribution's, and what it may serve, is left alone. */
const unit = `[Unit]
Description=The way to the Kubernetes API of this node
After=network.target
Before=kubelet.service

[Service]
Type=notify
RuntimeDirectory=oslo-cluster-api
ExecStartPre=/usr/sbin/haproxy -q -c -f ${directory}/haproxy.cfg
ExecStart=/usr/sbin/haproxy -Ws -f ${directory}/haproxy.cfg -p /run/oslo-cluster-api/haproxy.pid
ExecReload=/usr/sbin/haproxy -q -c -f ${directory}/haproxy.cfg
ExecReload=/bin/kill -USR2 $MAINPID
KillMode=mixed
Restart=always
SuccessExitStatus=143
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
`;
