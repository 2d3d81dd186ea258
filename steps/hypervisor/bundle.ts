import { readFileSync } from "node:fs";
import { type HypervisorDocument, renderDocument } from "../../plan/libvirt/document.ts";

const prologue = `set -Eeuo pipefail
umask 077
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'echo "error: $(hostname): line $LINENO: $BASH_COMMAND" >&2' ERR
document() { sed 's/^  //' >"$WORK/$1"; }
`;

/**
 * A document with its script, for `bash -s -- <verb>` on the hypervisor: apply, delete. First what is
 * wanted, which a preview shows, then how it is done. Nothing is installed there.
 */
export function hypervisorScript(document: HypervisorDocument): string {
  return [
    prologue,
    renderDocument(document),
    read("lib.sh"),
    read(`${document.script}.sh`),
    // Nothing that is called may read the rest of this text as its input.
    'main "$1" </dev/null',
    "exit",
    "",
  ].join("\n");
}

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}
