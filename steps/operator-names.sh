# shellcheck shell=bash
# sshd tells its sessions which key logged in, so that certificates of operators carry a name of their own.

setting=/etc/ssh/sshd_config.d/50-oslo-cluster.conf

check() { files_drift; }

apply() {
  files_apply
  # A daemon that would not start again keeps everyone out.
  /usr/sbin/sshd -t || { rm -f "$setting" && die "sshd on $(hostname) rejects its configuration with $setting, which was removed again; its reason is above"; }
  systemctl reload ssh 2>/dev/null || systemctl reload sshd 2>/dev/null || say "sshd was not reloaded: it takes $setting at its next start"
}
