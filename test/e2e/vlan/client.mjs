// Asks an address for /readyz ten times a second, a new connection each, without retries. Prints a line for each answer:
// milliseconds, then who answered.
//
//   client.mjs ADDRESS
import { get } from "node:https";

const [host] = process.argv.slice(2);
setInterval(() => {
  const request = get(
    { host, port: 6443, path: "/readyz", rejectUnauthorized: false, agent: false, timeout: 1000 },
    async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      if (response.statusCode === 200) console.log(`${Date.now()} ${text}`);
    },
  );
  request.on("timeout", () => request.destroy());
  request.on("error", () => {});
}, 100);
