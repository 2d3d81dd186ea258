import { minutesOf } from "../../config/duration.ts";
import { renewalMinutes } from "../../plan/steps/certificate-renewal.ts";
import { askEach, type Cluster, controlPlanes } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

/** A kubelet renews its certificate when 10 to 30 % of its life are left. */
export const leastOfKubelet = 0.08;
const unit = "oslo-cluster-certificates";

export const certificatesProof: Proof = {
  promise: "No certificate comes near its end, and what runs has the newest",
  proof: `on every control plane: the timer runs and its last run succeeded, each of kubeadm's certificates fits its key and lives longer than kubernetes.certificates.renewBefore less the two intervals that a renewal may take, no component runs with a former one, and the CAs outlive what they sign now; on every node more than ${leastOfKubelet * 100} % of its kubelet's client certificate are left`,
  fix: `\`journalctl -u ${unit}\` on the control plane; \`systemctl start ${unit}\` renews what is due`,
  async prove(cluster) {
    const { kubernetes } = cluster.config;
    const { renewBefore, validity } = kubernetes.certificates;
    const least = {
      renewed: (minutesOf(renewBefore) - 2 * renewalMinutes(kubernetes)) * 60,
      ca: minutesOf(validity) * 60,
    };
    const answers = await askEach(controlPlanes(cluster), (name) =>
      cluster.onNode(name, ofControlPlane),
    );
    const found: string[] = [];
    let first = { left: Number.POSITIVE_INFINITY, what: "none" };
    for (const one of answers) {
      if ("problem" in one) {
        found.push(`${one.of}: ${one.problem}`);
        continue;
      }
      const lines = one.answer.split("\n").filter(Boolean);
      found.push(
        ...lines.flatMap((line) => problemsOf(line, least)).map((text) => `${one.of}: ${text}`),
      );
      const dated = lines.map(read).filter(({ left }) => Number.isFinite(left));
      if (dated.length === 0) found.push(`${one.of}: no certificate was read`);
      for (const { left, what } of dated) {
        if (left < first.left) first = { left, what: `${what} on ${one.of}` };
      }
    }
    found.push(...(await kubelets(cluster)));
    return expectNothing(
      found,
      `${Math.floor(first.left / 86_400)} days left (${first.what}); renewed below ${renewBefore}`,
    );
  },
};

/** What systemd says of the timer and its unit, which tries again where it failed; and what the script lists. */
const ofControlPlane = `of() { systemctl show --property "$1" --value ${unit}.service; }
[ "$(systemctl is-active ${unit}.timer)" = active ] || echo 'unit its timer does not run'
{ [ "$(of Result)" = success ] && { [ "$(of ActiveState)" = inactive ] || [ "$(of NRestarts)" = 0 ]; }; } || echo 'unit its last run failed'
bash /usr/local/lib/oslo-cluster/renew-certificates.sh list`;

/** A line of the script's list: SECONDS PATH, `broken PATH` or `former COMPONENT`. */
function read(line: string) {
  const [state = "", what = ""] = line.split(" ");
  return { state, left: Number(state), what };
}

function problemsOf(line: string, least: { renewed: number; ca: number }): string[] {
  const { state, left, what } = read(line);
  if (state === "unit") return [line.slice("unit ".length)];
  if (state === "former") return [`${what} runs with a former certificate`];
  if (state === "broken") return [`${what} cannot be read, or does not fit its key`];
  if (!Number.isFinite(left)) return [`not understood: ${line}`];
  const isCa = /\/(front-proxy-)?ca\.crt$/.test(what);
  if (left >= (isCa ? least.ca : least.renewed)) return [];
  const hours = (Math.abs(left) / 3600).toFixed(1);
  const ends = left < 0 ? `${what} ended ${hours} h ago` : `${what} ends in ${hours} h`;
  return [isCa ? `${ends}, before what it signs now` : `${ends} and was not renewed`];
}

async function kubelets(cluster: Cluster): Promise<string[]> {
  const answers = await askEach(cluster.nodes, (name) =>
    cluster.onNode(
      name,
      `at() { date --date "$(openssl x509 -noout "-$1" -in /var/lib/kubelet/pki/kubelet-client-current.pem | cut -d= -f2)" +%s; }
echo "kubelet $(($(at enddate) - $(date +%s))) $(($(at enddate) - $(at startdate)))"`,
    ),
  );
  return answers.flatMap((one) => {
    if ("problem" in one) return [`${one.of}: its kubelet's client certificate: ${one.problem}`];
    const [, left = Number.NaN, life = Number.NaN] = one.answer.split(" ").map(Number);
    if (left >= leastOfKubelet * life) return [];
    return [`${one.of}: its kubelet's client certificate was not renewed (${one.answer})`];
  });
}
