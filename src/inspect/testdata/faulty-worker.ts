// A worker that goes wrong in the way that the payload says.
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', ({ payload, length }: { payload: SharedArrayBuffer; length: number }) => {
  const text = Buffer.from(payload, 0, length).toString();
  if (text.includes('throw')) throw new Error('payload text that must not be passed on');
  if (text.includes('exit')) process.exit(0);
  if (text.includes('hang')) for (;;);
  if (text.includes('memory')) {
    const held: unknown[] = [];
    for (;;) held.push(Array.from({ length: 1000 }, () => ({ text })));
  }
  parentPort?.postMessage({ look: { found: { secrets: [], source: [], traces: [] }, texts: undefined }, values: [] });
});
