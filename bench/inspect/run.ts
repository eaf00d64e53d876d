// `npm run bench:inspect`: quality and speed of inspection, as a table and as bench/results/inspect.json.
// Options: --seed N --probes N --negatives N --only quality|peers|secrets|creddata|speed.
import fs from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { corpusDirectory } from './corpus.ts';
import { measureCredData } from './creddata.ts';
import { measurePeers } from './peers.ts';
import { lengths, measureQuality } from './quality.ts';
import { measureSecrets } from './secrets.ts';
import { measureSpeed } from './speed.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '7' },
    probes: { type: 'string', default: '30' },
    negatives: { type: 'string', default: '8000' },
    only: { type: 'string' },
  },
});
const directory = corpusDirectory(process.env);
fs.mkdirSync(directory, { recursive: true });

const percent = (share: number) => `${(100 * share).toFixed(share > 0 && share < 0.01 ? 2 : 0)}%`.padStart(6);
const result: Record<string, unknown> = {
  date: new Date().toISOString(),
  machine: { cpu: os.cpus()[0]?.model, node: process.version, load: os.loadavg()[0] },
};

/** Wilson's score interval of a share, at 95 %. */
function intervalOf(count: number, total: number): [number, number] {
  const z = 1.96;
  const share = count / total;
  const middle = share + (z * z) / (2 * total);
  const half = z * Math.sqrt((share * (1 - share)) / total + (z * z) / (4 * total * total));
  const scale = 1 + (z * z) / total;
  return [Math.max(0, (middle - half) / scale), (middle + half) / scale];
}

const isWanted = (part: string) => values.only === undefined || values.only === part;

if (isWanted('quality')) {
  const quality = await measureQuality({
    directory,
    seed: Number(values.seed),
    probes: Number(values.probes),
    negatives: Number(values.negatives),
  });
  result['quality'] = quality;
  const { index, recall, falsePositives } = quality;
  console.log(
    `index: ${index.files} files, ${index.lines} lines, ${index.entries} entries, ${(index.bytes / index.lines).toFixed(1)} bytes a line\n`,
  );
  console.log(
    `${'route tier: share found at'.padEnd(30)}${lengths.map((length) => `${length} lines`.padStart(10)).join('')}     (block tier)`,
  );
  for (const [name, rows] of Object.entries(recall)) {
    console.log(
      `${name.padEnd(30)}${lengths.map((length) => percent(rows[length]?.route ?? 0).padStart(10)).join('')}     ${lengths.map((length) => percent(rows[length]?.block ?? 0)).join('')}`,
    );
  }
  for (const length of lengths) {
    const others = Object.entries(recall).filter(([name]) => name !== 'all names changed');
    const mean = (tier: 'block' | 'route' | 'count') =>
      others.reduce((sum, [, rows]) => sum + (rows[length]?.[tier] ?? 0), 0) / others.length;
    console.log(
      `mean of ${others.length} wrappings at ${length} lines: block ${percent(mean('block'))} route ${percent(mean('route'))} count ${percent(mean('count'))}`,
    );
  }
  const { total, block, route, count, worst } = falsePositives;
  console.log(
    `\nfalse positives of ${total}: block ${block} (${((100 * block) / total).toFixed(3)}%), route ${route} (${((100 * route) / total).toFixed(2)}%), count ${count} (${((100 * count) / total).toFixed(2)}%)`,
  );
  for (const [name, wrong] of Object.entries({ block, route })) {
    const [low, high] = intervalOf(wrong, total);
    console.log(`${name}: between ${(100 * low).toFixed(3)}% and ${(100 * high).toFixed(3)}% (95 %, Wilson, as if all were independent)`);
  }
  const blocked = worst.filter((line) => line.includes('block'));
  for (const line of [...blocked, ...worst.filter((line) => !line.includes('block')).slice(0, 40)]) console.log(`  ${line}`);
}
if (isWanted('peers')) {
  // Their recall needs fewer probes to be told from ours, and takes far longer.
  result['peers'] = await measurePeers({ directory, seed: Number(values.seed), probes: 8, negatives: 1000 });
}
if (isWanted('creddata')) result['creddata'] = await measureCredData(process.env);
if (isWanted('secrets')) result['secrets'] = await measureSecrets({ seed: Number(values.seed), each: 10 });
if (isWanted('speed')) result['speed'] = await measureSpeed({ directory });

fs.mkdirSync('bench/results', { recursive: true });
fs.writeFileSync('bench/results/inspect.json', `${JSON.stringify(result, null, 1)}\n`);
