// What listens on this machine, out of /proc: model servers and agent gateways that are open to the network. Read, never asked.
import { catalogue } from './catalogue/index.ts';
import type { Listener } from './facts.ts';
import type { Tree } from './read/tree.ts';

/** The kernel writes addresses as little-endian 32-bit words in hex; state 0A is LISTEN. */
export function listeners(tree: Tree): readonly Listener[] {
  const found: Listener[] = [];
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of procText(tree, table).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [address, port] = (fields[1] ?? '').split(':');
      if (fields[3] !== '0A' || address === undefined || port === undefined) continue;
      const number = Number.parseInt(port, 16);
      for (const { id, detect } of catalogue) {
        if (detect.ports?.includes(number)) found.push({ port: number, address: shown(address), agent: id });
      }
    }
  }
  return found;
}

/** Files in /proc say that they are empty, so they are read as a stream of unknown length; `read` would stop at zero. */
function procText(tree: Tree, file: string): string {
  const read = tree.read(file, 1 << 20);
  return read.bytes?.toString('latin1') ?? '';
}

function shown(hex: string): string {
  if (hex.length === 8)
    return (hex.match(/../g) ?? [])
      .reverse()
      .map((pair) => Number.parseInt(pair, 16))
      .join('.');
  if (/^0+$/.test(hex)) return '::';
  return /^0{24}01000000$/.test(hex) ? '::1' : hex;
}
