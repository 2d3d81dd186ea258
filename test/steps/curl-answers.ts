/** What curl does of an API server in each state, as shell: its words with --verbose, and its exit code. */
export const ready = "exit 0";
export const unready = "exit 22";
export const silent = "exit 28";
export const refused = failed("Connection refused");
export const unreachable = failed("No route to host");

function failed(reason: string): string {
  return `case $* in *--verbose*) echo '* connect to 10.10.0.11 port 6443 failed: ${reason}' >&2 ;; esac; exit 7`;
}
