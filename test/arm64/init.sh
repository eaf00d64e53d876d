#!/bin/bash
# The first process of the guest. A root that the kernel unpacked cannot be left by pivot_root(2), which bubblewrap needs, so all moves to
# a tmpfs first.
export PATH=/usr/sbin:/usr/bin HOME=/root
if [ ! -e /moved ]; then
  mkdir -p /newroot && mount -t tmpfs -o mode=755,size=1500m tmpfs /newroot
  for name in /*; do [ "$name" = /newroot ] || cp -a "$name" /newroot/; done
  touch /newroot/moved
  exec busybox switch_root /newroot /init
fi
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm /home/intramur-test /tmp
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=755 tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
chown 1000:1000 /home/intramur-test
insmod /overlay.ko
ip link set lo up
node /kit/test/arm64/guest.ts
busybox poweroff -f
