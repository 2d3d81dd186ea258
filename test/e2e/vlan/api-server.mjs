// An API server to those who look at /readyz: ready while it reaches most of the others, as etcd would have it. SIGUSR2:
// not ready any more, or again. Live it is in any case.
//
//   api-server.mjs NAME PEM KEY OWN OTHER…
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { connect, createServer as listener } from "node:net";

const [name, cert, key, own, ...others] = process.argv.slice(2);
const [port, peerPort] = [6443, 2380];
let unready = false;
process.on("SIGUSR2", () => {
  unready = !unready;
});
listener((socket) => socket.end()).listen(peerPort, own);

const reaches = (host) =>
  new Promise((resolve) => {
    const socket = connect({ host, port: peerPort, timeout: 500 });
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => end(true));
    socket.on("timeout", () => end(false));
    socket.on("error", () => end(false));
  });

createServer({ cert: readFileSync(cert), key: readFileSync(key) }, async ({ url }, response) => {
  if (url === "/livez?exclude=etcd")
    return response.writeHead(200, { Connection: "close" }).end(name);
  const reached = (await Promise.all(others.map(reaches))).filter(Boolean).length + 1;
  const isReady = !unready && reached > (others.length + 1) / 2;
  response.writeHead(isReady ? 200 : 500, { Connection: "close" }).end(name);
}).listen(port, "0.0.0.0");
