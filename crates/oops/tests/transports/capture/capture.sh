#!/bin/bash
# Boots a kernel in QEMU, crashes it and keeps what every program that carries its log wrote.
#
#   TREE=DIR      the image package of the kernel, unpacked (dpkg-deb -x)
#   ROOT=DIR      the logging programs' packages, unpacked into one tree (see README.md)
#   BUSYBOX=FILE  a static busybox
#   CRASH="A.ko"  modules to load; `init` knows how to set off lab/cases/c22_mutex (camsess)
#   OUT=DIR       where the results go
#
# usage: capture.sh full|klogd|logread|erst|efi|mux
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mode=$1
mkdir -p "$OUT/$mode"; cd "$OUT/$mode"
kernel=$(echo "$TREE"/boot/vmlinuz-*); version=${kernel##*/vmlinuz-}
export LD_LIBRARY_PATH=$ROOT/usr/lib/x86_64-linux-gnu:$ROOT/lib/x86_64-linux-gnu:$ROOT/lib/systemd:$ROOT/usr/lib/syslog-ng

initramfs() {
  local t; t=$(mktemp -d)
  mkdir -p "$t"/{bin,dev,proc,sys,tmp,run,etc,lib64,var/log,var/lib/syslog-ng,usr/lib/x86_64-linux-gnu,usr/bin,usr/sbin,lib/modules/"$version"/extra}
  put() {
    mkdir -p "$t/$(dirname "$2")"; cp -L "$1" "$t/$2"
    ldd "$1" 2>/dev/null | grep -o '/[^ ]*\.so[^ ]*' | while read -r l; do
      case $l in */ld-linux*) cp -Ln "$l" "$t/lib64/" ;; *) cp -Ln "$l" "$t/usr/lib/x86_64-linux-gnu/" ;; esac
    done
  }
  cp "$BUSYBOX" "$t/bin/busybox"; put /usr/bin/dmesg usr/bin/dmesg-ul
  put "$ROOT/usr/sbin/rsyslogd" usr/sbin/rsyslogd
  for m in imklog lmnet lmregexp; do put "$ROOT/usr/lib/x86_64-linux-gnu/rsyslog/$m.so" usr/lib/x86_64-linux-gnu/rsyslog/$m.so; done
  put "$ROOT/usr/sbin/syslog-ng" usr/sbin/syslog-ng
  for f in "$ROOT"/usr/lib/syslog-ng/3.38/*.so; do put "$f" "usr/lib/syslog-ng/3.38/${f##*/}"; done
  mkdir -p "$t/usr/share/syslog-ng"; cp -r "$ROOT/usr/share/syslog-ng/include" "$t/usr/share/syslog-ng/"
  put "$ROOT/lib/systemd/systemd-journald" usr/sbin/systemd-journald
  put "$ROOT/bin/journalctl" usr/bin/journalctl
  cp "$here/rsyslog.conf" "$here/syslog-ng.conf" "$t/etc/"; cp "$here/modules.txt" "$t/modlist"; cp "$here/init" "$t/init"; chmod 755 "$t/init"
  echo 0123456789abcdef0123456789abcdef > "$t/etc/machine-id"
  echo root:x:0:0:root:/root:/bin/sh > "$t/etc/passwd"; echo root:x:0: > "$t/etc/group"
  while read -r m; do (cd "$TREE" && find "lib/modules/$version" -name "$m.ko" -exec cp --parents {} "$t" \;); done < "$here/modules.txt"
  cp $CRASH "$t/lib/modules/$version/extra/"
  depmod -b "$t" "$version"
  mknod "$t/dev/console" c 5 1; mknod "$t/dev/null" c 1 3
  (cd "$t" && find . | cpio -o -H newc --quiet) > initramfs.cpio; rm -r "$t"
}

# vm GUEST-MODE [QEMU options]: the serial console goes to serial.GUEST-MODE, what `init` kept to kept/.
vm() {
  local guest=$1; shift
  truncate -s 16M vda; truncate -s 4M vdb
  timeout 200 qemu-system-x86_64 -M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 -display none -monitor none \
    -serial "file:serial.$guest" -kernel "$kernel" -initrd initramfs.cpio \
    -drive file=vda,if=virtio,format=raw -drive file=vdb,if=virtio,format=raw \
    -append "console=ttyS0 no_timer_check panic=1 mode=$guest memmap=1M\$0x30000000 ${APPEND:-}" "$@" || true
  mkdir -p "kept.$guest"; tar xf vda -C "kept.$guest" 2>/dev/null || true; tar xf vdb -C "kept.$guest" 2>/dev/null || true
}

initramfs
case $mode in
full)
  # netconsole, plain to port 6666 and extended to 6667; RAM outlives the warm reset, and with it ramoops.
  socat -u UDP-RECV:6666 CREATE:netconsole-plain & plain=$!
  socat -u UDP-RECV:6667 CREATE:netconsole-ext & ext=$!
  vm full -netdev user,id=n -device virtio-net-pci,netdev=n
  kill $plain $ext ;;
klogd) vm klogd ;;
logread)
  # The monitor dumps the memory as soon as the guest says READY; kexec-tools' vmcore-dmesg reads it.
  (until grep -aq READY serial.logread 2>/dev/null; do sleep 1; done; sleep 1
   printf 'dump-guest-memory -p vmcore\nquit\n' | socat -t 20 - UNIX-CONNECT:monitor) &
  APPEND=nokaslr vm logread -device vmcoreinfo -chardev socket,id=m,path=monitor,server=on,wait=off -mon chardev=m
  "$ROOT/sbin/vmcore-dmesg" vmcore > vmcore-dmesg.txt ;;
erst)
  set -- -object memory-backend-file,id=erst,mem-path=erst.bin,size=0x40000,share=on -device acpi-erst,memdev=erst -no-reboot
  truncate -s 256K erst.bin
  vm crash "$@"
  # A kernel that knows no compression leaves the parts as they are: dmesg-erst-*.enc.z.
  APPEND=pstore.compress=none vm read "$@" ;;
efi)
  cp "$ROOT/usr/share/OVMF/OVMF_VARS_4M.fd" vars.fd
  set -- -drive if=pflash,format=raw,readonly=on,file="$ROOT/usr/share/OVMF/OVMF_CODE_4M.fd" -drive if=pflash,format=raw,file=vars.fd -no-reboot
  vm crash "$@"; vm read "$@" ;;
mux)
  # Ctrl-A t switches the times of QEMU's multiplexed console on.
  truncate -s 16M vda; truncate -s 4M vdb
  (printf '\001t'; sleep 75) | timeout 80 qemu-system-x86_64 -M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 \
    -display none -serial mon:stdio -no-reboot -kernel "$kernel" -initrd initramfs.cpio \
    -drive file=vda,if=virtio,format=raw -drive file=vdb,if=virtio,format=raw \
    -append "console=ttyS0 no_timer_check panic=1 mode=crash" > serial.mux ;;
esac
