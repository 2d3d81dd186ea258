import { existsSync } from "node:fs";
import { installPackages } from "./apt.ts";
import { say } from "./progress.ts";
import { xdpProgram } from "./segment.ts";
import { onPath } from "./shell.ts";

/** A program or file that the lab needs, and the Debian or Ubuntu package that has it. */
interface Tool {
  command?: string;
  file?: string;
  package: string;
}

/** What a lab with hypervisors needs besides, to make the guests' image. */
export const imageTools: readonly Tool[] = [
  { command: "mke2fs", package: "e2fsprogs" },
  { command: "sfdisk", package: "fdisk" },
  { command: "qemu-img", package: "qemu-utils" },
];

const alwaysNeeded: readonly Tool[] = [
  { command: "systemd-nspawn", package: "systemd-container" },
  { command: "mmdebstrap", package: "mmdebstrap" },
  { file: "/usr/share/keyrings/debian-archive-keyring.gpg", package: "debian-archive-keyring" },
  { command: "apt-ftparchive", package: "apt-utils" },
  { command: "gpg", package: "gnupg" },
  { command: "skopeo", package: "skopeo" },
  { command: "umoci", package: "umoci" },
  { command: "ip", package: "iproute2" },
  { file: xdpProgram, package: "libxdp1" },
  { command: "ethtool", package: "ethtool" },
  { command: "nft", package: "nftables" },
  { command: "tcpdump", package: "tcpdump" },
  { command: "ssh", package: "openssh-client" },
  { command: "curl", package: "curl" },
  { command: "gcc", package: "gcc" },
  { file: "/usr/include/stdio.h", package: "libc6-dev" },
  { file: "/usr/include/seccomp.h", package: "libseccomp-dev" },
  { command: "pkg-config", package: "pkg-config" },
];

/**
 * Checks that this machine can hold the lab and installs the Debian packages that are missing.
 * None of them is a service: nothing starts to listen on this machine.
 *
 * @param more beyond what every lab needs
 */
export async function ensureTools(more: readonly Tool[] = []): Promise<void> {
  requireMachine();
  const missing: string[] = [];
  for (const tool of [...alwaysNeeded, ...more]) {
    const present = tool.command ? await onPath(tool.command) : existsSync(tool.file ?? "");
    if (!present) missing.push(tool.package);
  }
  if (missing.length === 0) return;
  say(`  installing ${missing.join(" ")}`);
  await installPackages(...missing);
}

function requireMachine(): void {
  const fallback = "Without it, check, render and the unit tests still work.";
  if (process.platform !== "linux" || process.arch !== "x64" || !existsSync("/usr/bin/apt-get")) {
    throw new Error(`The lab needs Debian 12+ or Ubuntu 24.04+ on x86-64. ${fallback}`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error(`The lab needs root: run it through sudo. ${fallback}`);
  }
}
