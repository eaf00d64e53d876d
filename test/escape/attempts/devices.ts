// Devices of the machine.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Attempt } from '../attempt.ts';

const devices = [
  ...[
    'mem',
    'kmem',
    'port',
    'kmsg',
    'vda',
    'sda',
    'nvme0n1',
    'loop0',
    'loop-control',
    'dm-0',
    'mapper/control',
    'fuse',
    'kvm',
    'net/tun',
    'vsock',
  ],
  ...[
    'vhost-vsock',
    'vhost-net',
    'uinput',
    'input/event0',
    'dri/card0',
    'snd/seq',
    'tty0',
    'console',
    'hpet',
    'userfaultfd',
    'cuse',
    'mqueue',
    'bus/usb/001/001',
  ],
];

const machineConsole = 0x501;

export const device: readonly Attempt[] = [
  ...devices.map(
    (name): Attempt => ({
      id: `open /dev/${name}`,
      group: 'devices',
      layer: 'mount namespace',
      inside() {
        fs.closeSync(fs.openSync(`/dev/${name}`, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK));
        // At a terminal bubblewrap puts that terminal there, which the program has anyway; the machine's console is 5:1.
        return name !== 'console' || fs.statSync('/dev/console').rdev === machineConsole;
      },
    }),
  ),
  ...['b 8 0', 'c 1 1', 'c 10 200'].map(
    (kind): Attempt => ({
      id: `make a device node (${kind})`,
      group: 'devices',
      layer: 'user namespace',
      inside: ({ workspace }) =>
        spawnSync('mknod', [path.join(workspace, `node-${kind.replaceAll(' ', '-')}`), ...kind.split(' ')], { stdio: 'ignore' }).status ===
        0,
    }),
  ),
  {
    id: "other terminals in the host's /dev/pts",
    group: 'devices',
    layer: 'mount namespace',
    inside: () => fs.readdirSync('/dev/pts').some((name) => /^\d+$/.test(name)),
  },
  {
    id: 'write into /dev',
    group: 'devices',
    layer: 'read-only mount',
    inside({ isPeer }) {
      fs.writeFileSync('/dev/evil', 'x');
      return !isPeer;
    },
    escaped: ({ exists }) => exists('/dev/evil'),
  },
];
