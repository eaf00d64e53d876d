// Makes src/inspect/data/background.bin.gz: what the code of several unrelated public packages has in common, as hashes only.
// Run: node scripts/background.ts, then npm run format. Fetches the packages of bench/inspect/corpus.ts that are not there yet.
import crypto from 'node:crypto';
import fs from 'node:fs';
import zlib from 'node:zlib';
import { backgroundPackages, corpusDirectory, filesOf, helperPackages } from '../bench/inspect/corpus.ts';
import { addTo, emptyFilter } from '../src/inspect/source/background.ts';
import {
  type Channel,
  channels,
  E8_WORDS,
  E12_WORDS,
  type Grams,
  lineGrams,
  mix,
  newGrams,
  saysSomething,
  secondLane,
  structureGrams,
  wordGrams,
} from '../src/inspect/source/grams.ts';
import { lex, newTokens } from '../src/inspect/source/lexer.ts';

/** A hash counts as public when so many unrelated packages hold it. */
const LEAST_PACKAGES = 2;
const SLOTS = 3 << 25;

/** Hashes with the packages they were seen in: flat arrays, because there are tens of millions. */
const seen = {
  a: new Int32Array(SLOTS),
  b: new Int32Array(SLOTS),
  /** Channel + 1 in the low bits, last package + 1 above; 0: empty. */
  mark: new Uint32Array(SLOTS),
  packages: new Uint8Array(SLOTS),
};

function note(channel: number, a: number, b: number, packageNumber: number): void {
  let slot = (((a ^ Math.imul(channel, 0x9e3779b1)) >>> 0) * SLOTS) / 0x1_0000_0000;
  slot = Math.floor(slot);
  for (;;) {
    const mark = seen.mark[slot] ?? 0;
    if (mark === 0) break;
    if (seen.a[slot] === a && seen.b[slot] === b && (mark & 7) === channel) {
      if (mark >>> 3 !== packageNumber && (seen.packages[slot] ?? 0) < 255) {
        seen.packages[slot] = (seen.packages[slot] ?? 0) + 1;
        seen.mark[slot] = (packageNumber << 3) | channel;
      }
      return;
    }
    slot = slot + 1 === SLOTS ? 0 : slot + 1;
  }
  seen.a[slot] = a;
  seen.b[slot] = b;
  seen.mark[slot] = (packageNumber << 3) | channel;
  seen.packages[slot] = 1;
}

/** Texts that belong to nobody and stand in code of all kinds. */
const commonTexts = [
  // Printers' filler, after Cicero, De finibus 1.32.
  'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua. ' +
    'Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat. ' +
    'Duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore eu fugiat nulla pariatur. ' +
    'Excepteur sint occaecat cupidatat non proident, sunt in culpa qui officia deserunt mollit anim id est laborum.',
];

/** Stands for further packages that hold what one of these holds. */
const HELPER = backgroundPackages.length + helperPackages.length + 1;

const tokens = newTokens();
const grams = Object.fromEntries(channels.map((channel) => [channel, newGrams(channel)])) as Record<Channel, Grams>;
const directory = corpusDirectory(process.env);
const provenance: object[] = [];

function noteAll(text: Buffer, packageNumber: number): void {
  lex(text, tokens);
  const all = [
    wordGrams(tokens, E8_WORDS, grams.E8),
    wordGrams(tokens, E12_WORDS, grams.E12),
    lineGrams(tokens, grams.L),
    structureGrams(tokens, grams.S),
  ];
  all.forEach((list, channel) => {
    for (let g = 0; g < list.count; g++) {
      const at = list.at[g] ?? 0;
      if (saysSomething(tokens, list.channel, at))
        note(channel + 1, mix(list.a[g] ?? 0), mix(secondLane(tokens, list.channel, at)), packageNumber);
    }
  });
}

[...backgroundPackages, ...helperPackages].forEach((name, i) => {
  const files = filesOf(name, directory);
  const digest = crypto.createHash('sha256');
  let bytes = 0;
  for (const file of files) {
    digest.update(file.bytes);
    bytes += file.bytes.length;
    noteAll(file.bytes, i + 1);
    // Of these one is enough.
    if (helperPackages.includes(name)) noteAll(file.bytes, HELPER);
  }
  provenance.push({ package: name, files: files.length, bytes, sha256: digest.digest('hex') });
  process.stderr.write(`${name}: ${files.length} files, ${bytes} bytes\n`);
});

for (const text of commonTexts) for (let i = 1; i <= LEAST_PACKAGES; i++) noteAll(Buffer.from(text), HELPER + i);

let shared = 0;
const byChannel: Record<string, number> = {};
for (let slot = 0; slot < SLOTS; slot++) if ((seen.packages[slot] ?? 0) >= LEAST_PACKAGES) shared += 1;
const filter = emptyFilter(shared);
for (let slot = 0; slot < SLOTS; slot++) {
  if ((seen.packages[slot] ?? 0) < LEAST_PACKAGES) continue;
  const channel = channels[((seen.mark[slot] ?? 0) & 7) - 1];
  if (channel === undefined) continue;
  addTo(filter, channel, seen.a[slot] ?? 0, seen.b[slot] ?? 0);
  byChannel[channel] = (byChannel[channel] ?? 0) + 1;
}
const packed = zlib.gzipSync(new Uint8Array(filter.buffer), { level: 9 });
const out = new URL('../src/inspect/data/', import.meta.url);
fs.mkdirSync(out, { recursive: true });
fs.writeFileSync(new URL('background.bin.gz', out), packed);
fs.writeFileSync(
  new URL('background.json', out),
  `${JSON.stringify({ leastPackages: LEAST_PACKAGES, hashes: shared, byChannel, packages: provenance }, null, 1)}\n`,
);
process.stderr.write(`${shared} hashes (${JSON.stringify(byChannel)}), ${packed.length} bytes\n`);
