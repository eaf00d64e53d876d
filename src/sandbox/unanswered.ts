// What the launcher hears of connections that nobody answered (`unanswered-script.ts`). The program chose every address and port in there.
import type { Duplex } from 'node:stream';
import { recordBytes } from './unanswered-script.ts';

/** Told of each: the address that was dialled, as text, and the port. */
export type OnUnanswered = (address: string, port: number) => void;

export interface Hearing {
  /** Resolves when all is heard that came until now, and nothing more will. INVARIANT: called when the sandbox ends, or the watch outlives it. */
  end(): Promise<void>;
}

/** A watch that does not end is not waited for longer. */
const endMs = 1000;

export function hearUnanswered(records: Duplex, on: OnUnanswered): Hearing {
  let pending: Buffer = Buffer.alloc(0);
  records.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let at = 0;
    for (; at + recordBytes <= pending.length; at += recordBytes) {
      const place = placeOf(pending.subarray(at, at + recordBytes));
      if (place) on(place.address, place.port);
    }
    pending = pending.subarray(at);
  });
  records.on('error', () => {}); // the watch is gone
  const closed = new Promise<void>((resolve) => records.once('close', resolve));
  let ended: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    records.end();
    const timer = setTimeout(() => records.destroy(), endMs);
    await closed;
    clearTimeout(timer);
  };
  return { end: () => (ended ??= end()) };
}

/** The packet comes from the place that was dialled. */
function placeOf(packet: Buffer): { readonly address: string; readonly port: number } | undefined {
  const version = packet.readUInt8(0) >> 4;
  if (version === 4) {
    const header = (packet.readUInt8(0) & 0xf) * 4;
    return { address: packet.subarray(12, 16).join('.'), port: packet.readUInt16BE(header) };
  }
  if (version !== 6) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => packet.readUInt16BE(8 + 2 * i).toString(16));
  return { address: new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1), port: packet.readUInt16BE(40) };
}
