import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../../verify/proofs/backup.ts";
import { build } from "../lab/artifacts/build.ts";
import { findGo } from "../lab/artifacts/go.ts";
import { versitygw } from "../lab/artifacts/recipes.ts";
import { Progress } from "../lab/progress.ts";
import { root } from "../root.ts";
import { writeBackupStack } from "./backup-stack.ts";
import { LoopbackControlPlane } from "./loopback.ts";

const plane = new LoopbackControlPlane();
const { machine } = plane;
const key = { id: "oslo", secret: "s3-secret-of-the-test" };
const [port, skewedPort] = [7070, 7071];
const bucket = machine.path("s3/copies");
let server = "";
let uid = "";

beforeAll(async () => {
  server = join((await build(await findGo(), versitygw, new Progress())).directory, "versitygw");
  execFileSync("age-keygen", ["-o", machine.path("operator.key")], { stdio: "ignore" });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", machine.path("signer")]);
  mkdirSync(bucket, { recursive: true });
  await plane.start();
  const jsonpath = "jsonpath={.metadata.uid}";
  uid = (await plane.kubectl("get", "namespace", "kube-system", "-o", jsonpath)).stdout;
  configure();
  await startServer();
  expect((await credential(key.secret)).exitCode).toBe(0);
});

afterAll(() => plane.remove());

/** The node's documents, as the plan makes them of a stack with this target. */
function configure(changes: Record<string, unknown> = {}, at = port): void {
  const s3 = { endpoint: `http://127.0.0.1:${at}`, bucket: "copies" };
  const target = { name: "bucket", region: "NO-OSL-2", s3, ...changes };
  writeBackupStack(machine, [target], {}, ({ name }) => ({
    shared_credentials_file: machine.path(`state/backup/credentials/${name}`),
    profile: "default",
  }));
}

async function startServer(): Promise<void> {
  const words = ["--port", `127.0.0.1:${port}`, "--access", key.id, "--secret", key.secret];
  plane.spawn(server, [...words, "posix", machine.path("s3")]);
  await plane.listening(port, 60);
}

/** As `etcd credential` hands it over: by a pipe. */
const credential = (secret: string) =>
  plane.attempt(
    ...["bash", "-c", `printf '%s\\n%s\\n' "$2" "$3" | bash "$1" credential bucket`, "bash"],
    ...[machine.path("lib/backup.sh"), key.id, secret],
  );
const backUp = () => plane.attempt("bash", machine.path("lib/backup.sh"));
const status = () => JSON.parse(machine.read("state/backup/status.json"));
const folder = () => join(bucket, "oslo-cluster/test", uid);
const there = () =>
  readdirSync(folder())
    .filter((name) => name.endsWith(".age"))
    .sort();

/** What an operator runs, with the credential in the environment. */
const operator = (...words: string[]) => {
  const [verb = "", ...more] = words;
  return plane.attempt(
    ...["env", `AWS_ACCESS_KEY_ID=${key.id}`, `AWS_SECRET_ACCESS_KEY=${key.secret}`],
    ...[process.execPath, join(root, "commands/main.ts"), "etcd", verb],
    ...[machine.path("Pulumi.test.yaml"), ...more],
  );
};

describe("an S3 target", () => {
  it("takes a copy, and no credential is where others read", async () => {
    const { exitCode, all } = await backUp();
    expect(all).toBe("");
    expect(exitCode).toBe(0);
    expect(there()).toHaveLength(1);
    expect(statSync(machine.path("state/backup/credentials/bucket")).mode & 0o077).toBe(0);
    const files = { ...machine.filesBelow("etc"), ...machine.filesBelow("lib") };
    const open = Object.entries(files).filter(([, text]) => text.includes(key.secret));
    expect(open.map(([path]) => path)).toEqual([]);
  });

  it("is away: said, kept here, and brought once it is back", async () => {
    await plane.stop("versitygw");
    const before = there();
    const { exitCode, all } = await backUp();
    expect(exitCode).toBe(1);
    expect(all).toMatch(/error: target bucket: cannot be listed: .*refused/);
    expect(status()).toMatchObject({ error: expect.stringContaining("target bucket") });
    await startServer();
    expect((await backUp()).exitCode).toBe(0);
    expect(there()).toHaveLength(before.length + 2);
    expect(status()).toMatchObject({ error: null, targets: [{ error: null }] });
  });

  it("refuses a wrong key: named, and nothing of the key is said", async () => {
    await credential("not-the-secret");
    const { exitCode, all } = await backUp();
    expect(exitCode).toBe(1);
    expect(all).toMatch(/target bucket: cannot be listed: .*(SignatureDoesNotMatch|Forbidden|403)/);
    expect(all).not.toContain("not-the-secret");
    await credential(key.secret);
    expect((await backUp()).exitCode).toBe(0);
  });

  it("has another time than the node: named", async () => {
    // To the server, a request that was made an hour ago: what a node's wrong clock looks like.
    const skew = `require("node:http").createServer((request, answer) => {
  const date = new Date(Date.now() - 3600e3).toISOString().replace(/[-:]|\\.\\d+/g, "");
  const headers = { ...request.headers, "x-amz-date": date };
  headers.authorization = headers.authorization?.replace(/\\/\\d{8}\\//, "/" + date.slice(0, 8) + "/");
  request.pipe(require("node:http").request({ port: ${port}, method: request.method, path: request.url, headers }, (reply) => {
    answer.writeHead(reply.statusCode, reply.headers);
    reply.pipe(answer);
  }));
}).listen(${skewedPort}, "127.0.0.1")`;
    plane.spawn(process.execPath, ["-e", skew]);
    await plane.listening(skewedPort, 60);
    configure({}, skewedPort);
    const { exitCode, all } = await backUp();
    expect(exitCode).toBe(1);
    expect(all).toMatch(/target bucket: cannot be listed: .*(Skewed|403)/);
    await plane.stop("node");
    configure();
    expect((await backUp()).exitCode).toBe(0);
  });

  it("has a full disk: the copy stays here, and nothing there counts as one", async () => {
    const before = there();
    execFileSync("cp", ["-a", machine.path("s3"), machine.path("saved")]);
    await plane.stop("versitygw");
    const mounted = machine.path("s3");
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", mounted]);
    try {
      execFileSync("cp", ["-aT", machine.path("saved"), mounted]);
      const report = execFileSync("df", ["--output=used", "--block-size=1K", mounted], {
        encoding: "utf8",
      });
      const room = `remount,size=${Number(report.split("\n")[1]) + 8}k`;
      execFileSync("mount", ["-o", room, mounted]);
      await startServer();
      const { exitCode, all } = await backUp();
      expect(exitCode).toBe(1);
      expect(all).toMatch(/target bucket: \S+ cannot be written: /);
      expect(there()).toEqual(before);
    } finally {
      await plane.stop("versitygw");
      execFileSync("umount", [mounted]);
      await startServer();
    }
    expect((await backUp()).exitCode).toBe(0);
    expect(there().length).toBe(before.length + 2);
  });

  it("takes copies and loses them: named, and sent again", async () => {
    const [first = "", second = ""] = there();
    rmSync(join(folder(), first));
    truncateSync(join(folder(), second), 100);
    const { exitCode, all } = await backUp();
    expect(exitCode).toBe(1);
    expect(all).toContain(`target bucket: has lost or changed copies: ${first} ${second}`);
    expect((await backUp()).exitCode).toBe(0);
    expect(statSync(join(folder(), second)).size).toBe(
      statSync(machine.path(`state/backup/copies/${second}`)).size,
    );
  });
});

describe("what an operator gets back", () => {
  const identity = () => ["--identity", machine.path("operator.key")];

  it("a rehearsal of the newest copy, whose report reaches nodes that may not read there", async () => {
    configure({ mayRead: false });
    expect((await backUp()).exitCode).toBe(0);
    const words = [...identity(), "--sign", machine.path("signer"), "--binaries", plane.programs];
    const { exitCode, stdout, all } = await operator("rehearse", ...words);
    expect(all).toContain("bring the report to them with `oslo-cluster etcd report");
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ uid, problems: [] });
    expect((await backUp()).exitCode).toBe(0);
    const kept = "state/backup/rehearsal/report.json";
    expect(machine.read(kept)).toBe("");
    const hand = (text: string) => {
      writeFileSync(machine.path("handed"), text);
      return plane.attempt(
        "bash",
        "-c",
        `bash "$0" report <"$1"`,
        machine.path("lib/backup.sh"),
        machine.path("handed"),
      );
    };
    const signed = (name: string) =>
      execFileSync("cat", [join(folder(), "rehearsal", name)], { encoding: "utf8" });
    expect(await hand(signed("report.json") + signed("report.json.sig"))).toMatchObject({
      exitCode: 0,
    });
    expect(JSON.parse(machine.read(kept))).toEqual(report);
    expect(machine.read(`${kept}.sig`)).toBe(signed("report.json.sig"));
    // An older one does not take its place, and what is no report is refused.
    const older = JSON.stringify({ ...report, rehearsedAt: report.rehearsedAt - 60 });
    expect(await hand(`${older}\nsignature\n`)).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(machine.read(kept))).toEqual(report);
    expect((await hand("nonsense\n")).all).toContain(
      "what was received is not a rehearsal's report",
    );
  });

  it("a restore from it", async () => {
    configure();
    await plane.kubectl("create", "configmap", "before");
    expect((await backUp()).exitCode).toBe(0);
    await plane.kubectl("create", "configmap", "after");
    const { stdout: list } = await operator("copies");
    expect(list.trim().split("\n")).toHaveLength(there().length);
    await plane.stop("etcd");
    rmSync(machine.path("etcd/member"), { recursive: true });
    const receive = `age --decrypt -i "$0" "$1" | bash "$2" receive && bash "$2" apply copy`;
    const newest = join(folder(), there().at(-1) as string);
    const words = [machine.path("operator.key"), newest, machine.path("lib/restore.sh")];
    expect(await plane.attempt("bash", "-o", "pipefail", "-c", receive, ...words)).toMatchObject({
      exitCode: 0,
    });
    const { stdout } = await plane.kubectl("get", "configmaps", "-o", "name");
    expect(stdout).toContain("configmap/before");
    expect(stdout).not.toContain("configmap/after");
  });
});
