#!/usr/bin/env bash
# Makes a bootable qcow2 image out of a Debian tree without mounting anything: one ext4 partition
# behind an MBR, and GRUB in the gap between, for BIOS on any machine type.
#
# usage: disk-image.sh TREE OUT.qcow2 SIZE_MEBIBYTES
set -euo pipefail

tree=${1:?} out=${2:?} size=${3:?}
sector=512
first=2048 # sectors before the partition: 1 MiB, of which GRUB takes less than 62 KiB

work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
disk=$work/disk

truncate --size="${size}M" "$disk"
printf 'label: dos\nstart=%s, type=83, bootable\n' "$first" | sfdisk --quiet "$disk"

# Features that GRUB of this release reads; growing to 16 TiB stays possible.
mke2fs -q -t ext4 -L root -O ^metadata_csum_seed,^orphan_file \
  -E "offset=$((first * sector)),lazy_itable_init=1,lazy_journal_init=1" \
  -d "$tree" "$disk" "$((size - first * sector / 1024 / 1024))M"

# boot.img looks for the core at sector 1, and the core for its own rest at sector 2.
chroot "$tree" grub-mkimage --format=i386-pc \
  --prefix="(hd0,msdos1)/boot/grub" biosdisk part_msdos ext2 >"$work/core.img"
core=$(stat --format=%s "$work/core.img")
((core <= (first - 1) * sector)) || { echo "GRUB's core is $core bytes: too large for the gap" >&2 && exit 1; }
dd if="$tree/usr/lib/grub/i386-pc/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
dd if="$work/core.img" of="$disk" bs="$sector" seek=1 conv=notrunc status=none

qemu-img convert -f raw -O qcow2 "$disk" "$out"
