// Runs on the operator's machine, before there is an API server: whether its address and port can be
// reached from here. A refused connection is as good as one that is taken: nothing drops the packets.
//
//   node - HOST PORT IS_MACHINE    IS_MACHINE: true where a control plane has the address, and so must answer
import { connect } from "node:net";

const [host, port, isMachine] = process.argv.slice(2);
const seconds = 10;

const socket = connect({ host, port: Number(port), timeout: seconds * 1000 });
socket.on("connect", () => end());
socket.on("timeout", () => end(`no answer within ${seconds} s`));
socket.on("error", ({ code, message }) => {
  if (code === "ECONNREFUSED") end();
  else if (code === "ENOTFOUND" || code === "EAI_AGAIN") end(`no such name: ${message}`, true);
  else end(message);
});

function end(why, isFault = isMachine === "true") {
  socket.destroy();
  if (why === undefined) return;
  console.error(
    `cluster.endpoint: ${host}, port ${port}: this machine does not reach it (${why}). Pulumi, kubectl and verify ask the API server from here: open the port to this machine, or set cluster.endpoint.host to an address that it reaches`,
  );
  // A load balancer may be silent until it has something behind it.
  process.exitCode = isFault ? 1 : 0;
}
