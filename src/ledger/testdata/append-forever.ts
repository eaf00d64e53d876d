// Child of crash.test.ts: appends in small groups and says each index once it is acknowledged, until it is killed.
import { openLedger } from '../index.ts';

const [dir = '', keyFile = ''] = process.argv.slice(2);
const ledger = await openLedger({ dir, keyFile, origin: 'log.example/test', now: () => new Date() });
for (let index = ledger.size; ; ) {
  const group = Array.from({ length: 1 + (index % 9) }, (_, i) =>
    ledger.append({ action: 'net.connect', host: `h${index + i}` }),
  );
  for (const entry of await Promise.all(group)) process.stdout.write(`${entry.index}\n`);
  index += group.length;
}
