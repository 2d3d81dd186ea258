// Asks an address for /readyz ten times a second, a new connection each, without retries, and gives up after a second.
// Prints a line for each: when it asked, and when it was answered with 200, or 0; milliseconds since 1970.
//
//   client.mjs ADDRESS
import { get } from "node:https";

const [host] = process.argv.slice(2);
setInterval(() => {
  const asked = Date.now();
  const said = (answered) => console.log(`${asked} ${answered}`);
  const request = get(
    { host, port: 6443, path: "/readyz", rejectUnauthorized: false, agent: false, timeout: 1000 },
    (response) => {
      response.resume();
      response.on("end", () => said(response.statusCode === 200 ? Date.now() : 0));
    },
  );
  request.on("timeout", () => request.destroy());
  request.on("error", () => said(0));
}, 100);
