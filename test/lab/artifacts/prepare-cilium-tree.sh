#!/usr/bin/env bash
# Leaves of a Debian tree what Cilium's agent needs at run time: clang and llc compile its datapath,
# and nothing there compiles anything else.
#
# usage: prepare-cilium-tree.sh TREE
set -euo pipefail

tree=${1:?usage: prepare-cilium-tree.sh TREE}

for tool in clang llc; do ln -sf "/usr/lib/llvm-19/bin/$tool" "$tree/usr/local/bin/$tool"; done
ln -sf /usr/sbin/bpftool "$tree/usr/local/bin/bpftool"

find "$tree/usr/lib/llvm-19/bin" -mindepth 1 ! -name 'clang*' ! -name llc -delete
find "$tree/usr/lib" -name '*.a' -delete
rm -rf "$tree"/usr/lib/llvm-19/{include,share,build} "$tree"/usr/lib/gcc "$tree"/usr/include \
  "$tree"/usr/lib/python3* "$tree"/usr/share/{doc,man,info,locale,python3} \
  "$tree"/var/{cache,lib/apt/lists}/* "$tree"/var/log/*

chroot "$tree" clang --version >/dev/null
chroot "$tree" llc --version >/dev/null
