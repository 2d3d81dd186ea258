import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { encryptionConfiguration } from "../../plan/api-server/encryption.ts";
import { renderYaml } from "../../plan/yaml.ts";
import { build } from "../lab/artifacts/build.ts";
import { findGo } from "../lab/artifacts/go.ts";
import { recipes } from "../lab/artifacts/recipes.ts";
import { Progress } from "../lab/progress.ts";
import { waitFor } from "../lab/shell.ts";
import { Machine } from "../steps/machine.ts";

const address = "10.99.0.1";

/** The runtime, to the scripts: the images' programs, and the static pods that run. */
const ctr = `case "$*" in
  *"images mount"*) mkdir -p "\${@: -1}/usr/local/bin" && cp "$ETCD_BINARIES"/* "\${@: -1}/usr/local/bin/" ;;
  *"images unmount"*) rm -rf "\${@: -1}" ;;
  *"containers list"*) awk '{ print $1 }' "$MACHINE/tasks" | grep -x "$(sed 's/.*"==//' <<<"$6")" || true ;;
  *"tasks list"*) echo "TASK PID STATUS" && cat "$MACHINE/tasks" ;;
esac`;

const staticPods = ["etcd", "kube-apiserver", "kube-scheduler"] as const;

/**
 * A control plane of real programs (etcd, API server, kubeadm's certificates) on the loopback of a
 * network namespace of its own, with the repository's scripts as on a node. No kubelet, no containers.
 */
export class LoopbackControlPlane {
  readonly machine = new Machine("oslo");
  readonly namespace = `oslo-loopback-${process.pid}`;
  private readonly processes = new Map<string, ChildProcess>();
  private kubelet?: NodeJS.Timeout;
  /** How long kubeadm's certificates live. */
  validity = "8760h";
  /** More of the API servers'. */
  apiServerArguments: readonly string[] = [];
  private etcdBinaries = "";
  private kubernetesBinaries = "";

  async start(): Promise<void> {
    const go = await findGo();
    const progress = new Progress();
    this.etcdBinaries = (await build(go, recipes.etcd, progress)).directory;
    this.kubernetesBinaries = (await build(go, recipes.kubernetes, progress)).directory;
    await execa("ip", ["netns", "add", this.namespace]);
    await this.run("ip", "link", "set", "lo", "up");
    await this.run("ip", "address", "add", `${address}/32`, "dev", "lo");
    this.machine.addProgram("ctr", ctr);
    this.installScripts();
    await this.makeCertificates();
    this.startKubelet();
    await this.apiReady();
    // An API server makes them in its own time, once it is ready.
    await this.answered("the namespaces", "namespace", "default", "kube-system");
  }

  /** Static pods run while their manifests are there: that part of a kubelet. */
  startKubelet(): void {
    const start = {
      etcd: () => this.startEtcd(),
      "kube-apiserver": () => this.startApiServer(),
      "kube-scheduler": () => this.startScheduler(),
    };
    this.kubelet = setInterval(() => {
      for (const name of staticPods) {
        const wanted = existsSync(this.machine.path(`etc/kubernetes/manifests/${name}.yaml`));
        const runs = this.running().includes(name);
        if (wanted && !runs) start[name]();
        if (!wanted && runs) this.processes.get(name)?.kill("SIGTERM");
      }
      const tasks = this.running().map(
        (name) => `${name} ${this.processes.get(name)?.pid} RUNNING\n`,
      );
      // Whole at any moment: it is read meanwhile.
      this.machine.write("tasks.new", tasks.join(""));
      renameSync(this.machine.path("tasks.new"), this.machine.path("tasks"));
    }, 200);
  }

  /**
   * A real sshd on the loopback, port 2222, which runs one command whatever it is asked for.
   * @param files Of the machine.
   * @param more Lines of its configuration.
   */
  startSshd(
    files: { hostKey: string; authorizedKeys: string },
    command: string,
    ...more: string[]
  ): void {
    const { machine } = this;
    machine.write(
      "sshd.conf",
      `Port 2222
ListenAddress 127.0.0.1
HostKey ${machine.path(files.hostKey)}
AuthorizedKeysFile ${machine.path(files.authorizedKeys)}
StrictModes no
PidFile none
UsePAM no
ForceCommand ${command}
${more.join("\n")}
`,
    );
    this.spawn("/usr/sbin/sshd", ["-D", "-e", "-f", machine.path("sshd.conf")]);
  }

  stopKubelet(): void {
    clearInterval(this.kubelet);
  }

  private running(): string[] {
    return staticPods.filter((name) => {
      const child = this.processes.get(name);
      return child !== undefined && child.exitCode === null && child.signalCode === null;
    });
  }

  /** A folder with the programs that a rehearsal needs. */
  get programs(): string {
    const folder = this.machine.path("programs");
    mkdirSync(folder, { recursive: true });
    const from = {
      [this.etcdBinaries]: ["etcd", "etcdctl", "etcdutl"],
      [this.kubernetesBinaries]: ["kube-apiserver", "kubectl"],
    };
    for (const [directory, names] of Object.entries(from)) {
      for (const name of names) {
        if (!existsSync(join(folder, name))) symlinkSync(join(directory, name), join(folder, name));
      }
    }
    return folder;
  }

  /** A command in the namespace, with the programs of the cluster on its PATH. */
  run(...command: string[]) {
    return execa("ip", ["netns", "exec", this.namespace, ...command], { env: this.environment() });
  }

  /** Waits until somebody listens on a port of the loopback interface there. */
  async listening(port: number, seconds: number): Promise<void> {
    const connect = ["bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`];
    const listens = async () => (await this.attempt(...connect)).exitCode === 0;
    await waitFor(`port ${port}`, seconds, listens);
  }

  /** A command there that may fail. */
  async attempt(...command: string[]) {
    const { exitCode, stdout, stderr, all } = await execa(
      "ip",
      ["netns", "exec", this.namespace, ...command],
      { env: this.environment(), reject: false, all: true },
    );
    return { exitCode, stdout, stderr, all };
  }

  kubectl(...args: string[]) {
    return this.run(
      "kubectl",
      "--kubeconfig",
      this.machine.path("etc/kubernetes/admin.conf"),
      ...args,
    );
  }

  startEtcd(): void {
    const pki = this.machine.path("etc/kubernetes/pki/etcd");
    this.spawn("etcd", [
      ...["--name", "cp-1", "--data-dir", this.machine.path("etcd")],
      ...[
        "--listen-client-urls",
        "https://127.0.0.1:2379",
        "--advertise-client-urls",
        "https://127.0.0.1:2379",
      ],
      ...[
        "--listen-peer-urls",
        `https://${address}:2380`,
        "--initial-advertise-peer-urls",
        `https://${address}:2380`,
      ],
      ...["--initial-cluster", `cp-1=https://${address}:2380`],
      ...["--cert-file", join(pki, "server.crt"), "--key-file", join(pki, "server.key")],
      ...["--client-cert-auth", "--trusted-ca-file", join(pki, "ca.crt")],
      ...["--peer-cert-file", join(pki, "peer.crt"), "--peer-key-file", join(pki, "peer.key")],
      ...["--peer-client-cert-auth", "--peer-trusted-ca-file", join(pki, "ca.crt")],
      // Processes are killed here, machines are not.
      ...["--log-level", "error", "--unsafe-no-fsync"],
    ]);
  }

  /** Another one beside the first has a machine and a port of its own, and the same etcd. */
  startApiServer(machine = this.machine, port = 6443): void {
    const pki = this.machine.path("etc/kubernetes/pki");
    const file = (name: string) => join(pki, name);
    const args = [
      `--advertise-address=${address}`,
      `--secure-port=${port}`,
      "--authorization-mode=Node,RBAC",
      `--client-ca-file=${file("ca.crt")}`,
      `--kubelet-certificate-authority=${file("ca.crt")}`,
      `--kubelet-client-certificate=${file("apiserver-kubelet-client.crt")}`,
      `--kubelet-client-key=${file("apiserver-kubelet-client.key")}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--etcd-servers=https://127.0.0.1:2379",
      `--etcd-cafile=${file("etcd/ca.crt")}`,
      `--etcd-certfile=${file("apiserver-etcd-client.crt")}`,
      `--etcd-keyfile=${file("apiserver-etcd-client.key")}`,
      `--tls-cert-file=${file("apiserver.crt")}`,
      `--tls-private-key-file=${file("apiserver.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${file("sa.pub")}`,
      `--service-account-signing-key-file=${file("sa.key")}`,
      "--service-cluster-ip-range=10.96.0.0/16",
      `--encryption-provider-config=${machine.path("etc/kubernetes/encryption/config.yaml")}`,
      "--encryption-provider-config-automatic-reload=true",
      ...this.apiServerArguments,
    ];
    this.spawn("kube-apiserver", args, {}, machine === this.machine ? undefined : `api-${port}`);
  }

  /** Not before its manifest is put there. */
  private startScheduler(): void {
    const kubeconfig = this.machine.path("etc/kubernetes/scheduler.conf");
    this.spawn("kube-scheduler", [
      ...["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map(
        (name) => `--${name}=${kubeconfig}`,
      ),
      "--bind-address=127.0.0.1",
    ]);
  }

  async apiReady(): Promise<void> {
    await this.answered("the API server", "--raw", "/readyz");
  }

  /** Waits until `kubectl get` of something succeeds. */
  private async answered(what: string, ...words: string[]): Promise<void> {
    const get = ["kubectl", "--kubeconfig", this.machine.path("etc/kubernetes/admin.conf"), "get"];
    await waitFor(what, 300, async () => (await this.attempt(...get, ...words)).exitCode === 0);
  }

  async stop(name: string): Promise<void> {
    const child = this.processes.get(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async remove(): Promise<void> {
    this.stopKubelet();
    for (const name of [...this.processes.keys()]) await this.stop(name);
    await execa("ip", ["netns", "delete", this.namespace], { reject: false });
    this.machine.remove();
  }

  /** Another daemon in the namespace, ended with the rest. */
  spawn(
    command: string,
    args: string[],
    env: Record<string, string> = {},
    name = command.split("/").at(-1) as string,
  ): ChildProcess {
    // exec: the process that is ended is the program itself.
    const child = spawn("ip", ["netns", "exec", this.namespace, command, ...args], {
      env: { ...this.environment(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (data: Buffer) => this.log.push(`${command}: ${data}`));
    this.processes.set(name, child);
    return child;
  }

  /** What the daemons said. */
  readonly log: string[] = [];

  said(command: string): string {
    return this.log.filter((line) => line.startsWith(`${command}: `)).join("");
  }

  environment() {
    const path = [
      this.machine.path("bin"),
      this.etcdBinaries,
      this.kubernetesBinaries,
      process.env.PATH,
    ];
    return {
      ...process.env,
      PATH: path.join(":"),
      // rclone from Debian cannot take one of its own for S3.
      AWS_CA_BUNDLE: undefined,
      ETCD_BINARIES: this.etcdBinaries,
      MACHINE: this.machine.path("."),
    };
  }

  private installScripts(): void {
    for (const name of [
      "encryption.sh",
      "etcd.sh",
      "containers.sh",
      "static-pods.sh",
      "etcd-member.sh",
      "private-etcd.sh",
      "backup.sh",
      "backup-retention.sh",
      "backup-targets.sh",
      "backup-report.sh",
      "backup-status.sh",
      "restore.sh",
      "restore-state.sh",
      "restore-salvage.sh",
      "unpack-set.sh",
    ])
      this.machine.install(name);
    this.machine.write("tasks", "");
    this.putManifest("etcd", "3.6.8-0", [
      "--name=cp-1",
      `--initial-advertise-peer-urls=https://${address}:2380`,
    ]);
    this.putManifest("kube-apiserver", "v1.36.3", apiServerFlags(6443));
    this.machine.write("etc/kubernetes/encryption/config.yaml", encryption("key1"));
    this.machine.write(
      "etc/oslo-cluster/encryption-template.yaml",
      renderYaml(encryptionConfiguration("__SECRETBOX_KEY__")),
    );
  }

  /** As much of a static pod's manifest as the scripts read. */
  putManifest(name: string, tag: string, flags: string[], machine = this.machine): void {
    const lines = flags.map((flag) => `    - ${flag}\n`).join("");
    machine.write(
      `etc/kubernetes/manifests/${name}.yaml`,
      `spec:\n  containers:\n  - command:\n    - ${name}\n${lines}    image: registry.k8s.io/${name}:${tag}\n`,
    );
  }

  private async makeCertificates(): Promise<void> {
    const file = this.machine.path("etc/oslo-cluster/kubeadm-init.yaml");
    this.machine.write(
      "etc/oslo-cluster/kubeadm-init.yaml",
      `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: ${address}, bindPort: 6443}
nodeRegistration: {name: cp-1}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
certificateValidityPeriod: ${this.validity}
certificatesDir: ${this.machine.path("etc/kubernetes/pki")}
controlPlaneEndpoint: ${address}:6443
networking: {serviceSubnet: 10.96.0.0/16}
`,
    );
    await this.run("kubeadm", "init", "phase", "certs", "all", "--config", file);
    await this.run(
      "kubeadm",
      "init",
      "phase",
      "kubeconfig",
      "super-admin",
      "--config",
      file,
      "--kubeconfig-dir",
      this.machine.path("etc/kubernetes"),
    );
    mkdirSync(this.machine.path("etc/kubernetes"), { recursive: true });
    const superAdmin = readFileSync(this.machine.path("etc/kubernetes/super-admin.conf"), "utf8");
    writeFileSync(this.machine.path("etc/kubernetes/admin.conf"), superAdmin, { mode: 0o600 });
  }
}

/** Of an API server's manifest, what the scripts read. */
export function apiServerFlags(port: number): string[] {
  return [
    `--advertise-address=${address}`,
    `--secure-port=${port}`,
    "--encryption-provider-config-automatic-reload=true",
  ];
}

/** An encryption configuration with the keys named, as a node writes it. */
export function encryption(...names: string[]): string {
  const configuration = encryptionConfiguration("");
  const [provider] = configuration.resources[0]?.providers ?? [];
  if (provider?.secretbox) {
    provider.secretbox.keys = names.map((name) => ({
      name,
      secret: Buffer.alloc(32, name).toString("base64"),
    }));
  }
  return renderYaml(configuration);
}
