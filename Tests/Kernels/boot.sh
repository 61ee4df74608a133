#!/usr/bin/env bash
# Boots one of Debian's kernels under qemu with cordon in its initial file system, and takes what it found there.
#
#   boot.sh PACKAGE CORDON FOLDER [WORKLOAD...]
#
# PACKAGE is a kernel package such as linux-image-cloud-amd64, or one that depends on it; CORDON the program; FOLDER is
# made, and afterwards holds report.json (`cordon compare`), doctor.json, and console.log. The emulation is in software, so
# that it needs no rights; figures from it say how the mechanisms stand to each other, and little else.
set -euo pipefail

package=$1 cordon=$(realpath "$2") folder=$3
workloads=; for workload in "${@:4}"; do workloads+="--workload $workload "; done
# Most of it is waiting for a processor where others need them too.
limit=1800

mkdir -p "$folder/root"
folder=$(realpath "$folder")
cd "$folder"

# A meta-package names the kernel of the day.
newest=$(apt-cache depends "$package" | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -1)
newest=${newest:-$package}
if ! compgen -G "${newest}_*.deb" >/dev/null; then
  rm -f linux-image-*.deb
  apt-get -o APT::Sandbox::User=root download -qq "$newest" || { echo "boot.sh: $newest cannot be downloaded; run 'apt-get update'" >&2; exit 69; }
fi
rm -rf kernel && dpkg-deb -x "${newest}"_*.deb kernel
kernel=$(echo kernel/boot/vmlinuz-*)

# What cordon needs to run: itself, its libraries where they are not linked in, and a shell.
rm -rf root && mkdir -p root/{bin,dev,proc,sys,tmp}
cp "$(command -v busybox)" root/bin/busybox
ln -s busybox root/bin/sh
ln -s busybox root/bin/true
cp "$cordon" root/bin/cordon
{ ldd "$cordon" 2>/dev/null || true; } | { grep -oE '/[^ ]+' || true; } | while read -r library; do
  mkdir -p "root$(dirname "$library")"
  cp -L "$library" "root$library"
done
cat > root/init <<'END'
#!/bin/sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox stty -F /dev/ttyS1 raw -echo
/bin/busybox stty -F /dev/ttyS2 raw -echo
cordon doctor --json > /dev/ttyS1
cordon compare --quick --limit 120 WORKLOADS --json /tmp/report.json > /tmp/table 2> /tmp/messages
echo "cordon compare: status $?"
/bin/busybox cat /tmp/messages /tmp/table
/bin/busybox cat /tmp/report.json > /dev/ttyS2
/bin/busybox sync
/bin/busybox poweroff -f
END
sed -i "s/WORKLOADS/$workloads/" root/init
chmod 755 root/init
(cd root && find . | cpio --quiet -o -H newc | gzip -1) > initramfs.gz

rm -f console.log doctor.json report.json
timeout "$limit" qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 2048 -nodefaults -display none -no-reboot \
  -kernel "$kernel" -initrd initramfs.gz -append "console=ttyS0 quiet panic=-1 no_timer_check" \
  -serial file:console.log -serial file:doctor.json -serial file:report.json \
  || { echo "boot.sh: $newest did not end within $limit s; see $folder/console.log" >&2; exit 1; }

if ! [ -s report.json ]; then
  echo "boot.sh: $newest gave no report; the end of its console:" >&2
  tail -20 console.log >&2
  exit 1
fi
if grep -q '"broken"' report.json; then
  echo "boot.sh: $newest: a mechanism does something wrong:" >&2
  grep -B3 '"broken"' report.json >&2
  exit 1
fi
if ! grep -aq 'cordon compare: status 0' console.log; then
  echo "boot.sh: $newest: something could not be measured; see $folder/console.log" >&2
  exit 1
fi
echo "$newest: $(grep -c '"median_ns"' report.json) figures, $(grep -c '"unavailable"' report.json) that it cannot have"
