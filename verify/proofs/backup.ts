import { backupHome } from "../../plan/backup.ts";
import { askEach, type Cluster, controlPlanes } from "../cluster.ts";
import {
  expectNothing,
  fail,
  notEnabled,
  notProved,
  type Proof,
  pass,
  type Verdict,
  worst,
} from "../proof.ts";

/** What a control plane says of its copies: backup.sh writes it. */
interface Status {
  now: number;
  timer: string;
  error?: string | null;
  lastSuccess?: number;
  copy?: { name: string; bytes: number; takenAt: number };
  targets?: { name: string; lastSuccess: number | null; error: string | null; copies: number }[];
}

/** What a rehearsal says, signed. */
export interface Report {
  cluster: string;
  uid: string;
  copy: string;
  takenAt: number;
  rehearsedAt: number;
  seconds: number;
  objects: number;
  problems: string[];
}

/** What reports are signed for, so that no other signature of the key counts. */
export const reportNamespace = "oslo-cluster-rehearsal";

export const backupProof: Proof = {
  promise: "The cluster's state is copied away from its nodes, and the newest copy is young",
  proof:
    "on every control plane: the timer runs, the last run brought its copy to every target and found the former ones there, no longer ago than two intervals and five minutes",
  fix: "see `journalctl -u oslo-cluster-backup` on the control plane; then `oslo-cluster etcd backup <stack>`",
  async prove(cluster) {
    const { backup } = cluster.config;
    if (backup.targets.length === 0) return notEnabled("backup.targets: []");
    const bound = (2 * backup.everyMinutes + 5) * 60;
    const answers = await askEach(controlPlanes(cluster), (node) => status(cluster, node));
    const targets = backup.targets.map(({ name }) => name);
    const found = answers.flatMap((one) => {
      if ("problem" in one) return [`${one.of}: ${one.problem}`];
      return problems(one.answer, bound, targets).map((text) => `${one.of}: ${text}`);
    });
    const readings = answers.flatMap((one) =>
      "problem" in one ? [] : [`${one.of}: ${reading(one.answer)}`],
    );
    return expectNothing(found, readings.join("; "));
  },
};

export const rehearsalProof: Proof = {
  promise: "The newest copy has been restored in a rehearsal",
  proof:
    "the newest report, fetched from the target by the control planes: signed by one of backup.rehearsal.signers, of this cluster's UID, without a problem, and no older than backup.rehearsal.maxAgeHours",
  fix: "run `oslo-cluster etcd rehearse <stack>` where a second recipient's key is, and look into what it reports",
  async prove(cluster) {
    const { targets, rehearsal } = cluster.config.backup;
    if (targets.length === 0) return notEnabled("backup.targets: []");
    if (rehearsal.signers.length === 0)
      return notProved("backup.rehearsal.signers is empty: no report would count");
    const uid = await cluster.kubectl(
      "get",
      "namespace",
      "kube-system",
      "-o",
      "jsonpath={.metadata.uid}",
    );
    const answers = await Promise.all(
      controlPlanes(cluster).map((node) => cluster.onNode(node, readReport(rehearsal.signers))),
    );
    const verdicts = answers.map((answer) => judge(answer, uid.trim(), rehearsal.maxAgeHours));
    // One fresh report is enough, whoever fetched it; a broken one is never passed over.
    const broken = verdicts.filter(({ verdict }) => verdict === "fail");
    const good = verdicts.filter(({ verdict }) => verdict === "pass");
    return worst(broken.length > 0 ? broken : good.length > 0 ? good : verdicts);
  },
};

async function status(cluster: Cluster, node: string): Promise<Status> {
  const script = `timer=$(systemctl is-active oslo-cluster-backup.timer || true)
cat ${backupHome}/status.json 2>/dev/null | jq -c --argjson now "$(date +%s)" --arg timer "$timer" '. + {$now, $timer}'`;
  const answer = await cluster.onNode(node, script);
  if (answer === "") throw new Error("no copy was ever made");
  return JSON.parse(answer) as Status;
}

function problems(status: Status, bound: number, targets: string[]): string[] {
  const { now, timer, error, lastSuccess } = status;
  const age = (since: number | null | undefined) =>
    since ? now - since : Number.POSITIVE_INFINITY;
  const late = targets.flatMap((name) => {
    const target = status.targets?.find((one) => one.name === name);
    if (age(target?.lastSuccess) <= bound) return [];
    return [`target ${name}: last reached ${ago(age(target?.lastSuccess))}`];
  });
  return [
    ...(timer === "active" ? [] : [`the timer is ${timer || "absent"}`]),
    ...(error ? [error] : []),
    ...(age(lastSuccess) > bound
      ? [`the last copy that reached every target was made ${ago(age(lastSuccess))}`]
      : []),
    ...late,
  ];
}

function reading({ now, copy, targets = [] }: Status): string {
  if (copy === undefined) return "no copy";
  const kept = targets.map(({ name, copies }) => `${name} ${copies}`).join(", ");
  return `${ago(now - copy.takenAt)}, ${Math.ceil(copy.bytes / 1024)} KiB, kept: ${kept}`;
}

function ago(seconds: number): string {
  if (!Number.isFinite(seconds)) return "never";
  return seconds < 7200
    ? `${Math.round(seconds / 60)} min ago`
    : `${Math.round(seconds / 3600)} h ago`;
}

/** Prints `none`, `unsigned`, or the node's time and the report. */
function readReport(signers: readonly string[]): string {
  const allowed = signers.map((key) => `rehearsal ${key}`).join("\n");
  return `cd ${backupHome}/rehearsal 2>/dev/null && [ -s report.json ] || { echo none; exit 0; }
allowed=$(mktemp)
trap 'rm -f "$allowed"' EXIT
cat >"$allowed" <<'SIGNERS'
${allowed}
SIGNERS
if ssh-keygen -Y verify -f "$allowed" -I rehearsal -n ${reportNamespace} -s report.json.sig <report.json >/dev/null 2>&1; then
  date +%s
  cat report.json
else
  echo unsigned
fi`;
}

function judge(answer: string, uid: string, maxAgeHours: number): Verdict {
  if (answer === "none")
    return notProved(
      "no rehearsal was reported: oslo-cluster etcd rehearse <stack>; where the nodes may not read at the target, oslo-cluster etcd report <stack> after it",
    );
  if (answer === "unsigned")
    return fail("the rehearsal's report is not signed by one of backup.rehearsal.signers");
  const [now = "", ...lines] = answer.split("\n");
  const report = JSON.parse(lines.join("\n")) as Report;
  if (report.uid !== uid) return fail(`the report is of cluster ${report.uid}, this is ${uid}`);
  if (report.problems.length > 0)
    return fail(`rehearsed and failed: ${report.problems.join("; ")}`);
  const age = Number(now) - report.rehearsedAt;
  const behind = Math.round((report.rehearsedAt - report.takenAt) / 60);
  const text = `rehearsed ${new Date(report.rehearsedAt * 1000).toISOString().slice(0, 16)}Z, ${Math.round(report.seconds)} s, ${behind} minutes behind, ${report.objects} objects`;
  return age > maxAgeHours * 3600 ? notProved(`${text}: older than ${maxAgeHours} h`) : pass(text);
}
