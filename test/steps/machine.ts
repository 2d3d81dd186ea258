import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { renderStep, type StepDocument } from "../../plan/step.ts";
import { root } from "../root.ts";

/** Where the scripts look on a node, and what is there in a folder of the test. */
const moved = {
  "/usr/local/lib/oslo-cluster": "lib",
  "/var/lib/oslo-cluster": "state",
  "/run/oslo-cluster": "volatile",
  "/var/log/oslo-cluster": "log",
  "/var/lib/etcd": "etcd",
  "/var/lib/kubelet": "kubelet",
  "/etc/machine-id": "machine-id",
  "/etc/kubernetes": "etc/kubernetes",
  "/etc/oslo-cluster": "etc/oslo-cluster",
  "/etc/apt": "etc/apt",
  "/proc/meminfo": "meminfo",
  "/proc/sys/net": "sysctl",
  "/sys/class/net": "net",
  "/sys/bus/virtio": "virtio",
};

/** Runs a unit at once, in the foreground, with the output where the real one would put it. */
const systemdRun = `#!/bin/bash
for word in "$@"; do
  case $word in
    --pipe) pipe=yes ;;
    --property=StandardOutput=append:*) log=\${word#*append:} ;;
    --*) ;;
    *) break ;;
  esac
  shift
done
[[ -z \${pipe:-} ]] || exec "$@"
"$@" >>"$log" 2>&1 || true
`;
const systemctl = `#!/bin/sh
case "$*" in *ActiveState*) echo inactive ;; *MainPID*) echo 0 ;; esac
`;

/** A folder that is a node to oslo-step: the real scripts with their paths moved there. */
export class Machine {
  private readonly folder = mkdtempSync(join(tmpdir(), "oslo-step-"));

  constructor(cluster: string) {
    this.install("oslo-step");
    this.install("lib.sh");
    this.write("bin/systemd-run", systemdRun);
    this.write("bin/systemctl", systemctl);
    this.write("machine-id", "0123\n");
    this.claim(cluster);
  }

  claim(cluster: string, machine = "0123"): void {
    this.write("state/claim", `clusterId=${cluster}\nmachineId=${machine}\n`);
  }

  /** Puts a script of steps/ there. */
  install(name: string): void {
    this.write(`lib/${name}`, this.move(readFileSync(join(root, "steps", name), "utf8")));
  }

  addStep(name: string, script: string): void {
    this.write(`lib/${name}.sh`, script);
  }

  /** The repository's own script. */
  addOwnStep(name: string): void {
    this.addStep(name, this.move(readFileSync(join(root, `steps/${name}.sh`), "utf8")));
  }

  /** A program that comes before the machine's own. */
  addProgram(name: string, body: string): void {
    this.write(`bin/${name}`, `#!/bin/bash\n${body}\n`);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): string {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), "utf8") : "";
  }

  write(name: string, content: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content, { mode: 0o755 });
  }

  forget(name: string): void {
    rmSync(this.path(name));
  }

  /** oslo-step with a document, and secrets below it. */
  async oslo(command: "run" | "check", document: StepDocument, secrets = "") {
    return this.call([command, document.step], renderStep(document) + secrets);
  }

  /** oslo-step as it is called. */
  async call(args: string[], input = "") {
    const result = await execa(this.path("lib/oslo-step"), args, {
      input,
      env: { PATH: `${this.path("bin")}:${process.env.PATH}`, MACHINE: this.folder },
      reject: false,
    });
    const { exitCode, stdout, stderr } = result;
    return { exitCode, stdout, stderr };
  }

  /** The probe, which runs until its stdin ends. */
  probe(document: StepDocument): ResultPromise<{ reject: false }> {
    const probe = execa(this.path("lib/oslo-step"), ["probe"], {
      env: { PATH: `${this.path("bin")}:${process.env.PATH}` },
      reject: false,
    });
    probe.stdin?.write(renderStep(document));
    return probe;
  }

  /** Every file below a folder of the machine, with its text. */
  filesBelow(name: string): Record<string, string> {
    if (!existsSync(this.path(name))) return {};
    const entries = readdirSync(this.path(name), { recursive: true, withFileTypes: true });
    return Object.fromEntries(
      entries
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const path = join(entry.parentPath, entry.name);
          return [path.slice(this.folder.length + 1), readFileSync(path, "utf8")];
        }),
    );
  }

  /** What a killed script has left behind may still write there. */
  remove(): void {
    rmSync(this.folder, { recursive: true, maxRetries: 20, retryDelay: 100 });
  }

  private move(text: string): string {
    return Object.entries(moved).reduce(
      (moving, [from, to]) => moving.replaceAll(from, this.path(to)),
      text,
    );
  }
}
