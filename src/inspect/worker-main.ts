// The thread behind workers.ts: looks at one payload at a time, and says what it found. Secrets that it found stay in this process.
import { parentPort, workerData } from 'node:worker_threads';
import { detectors } from './detectors/registry.ts';
import { openData } from './exact/data-table.ts';
import { halfOf } from './halves.ts';
import { type Budget, budgetFor } from './limits.ts';
import { createLooker, type Look, refusalOf } from './look.ts';
import { valueFingerprint } from './secrets.ts';
import { openTable } from './source/table.ts';
import { type Answer, type Job, type Part, READY, type WorkerSetup } from './workers.ts';

const { memory, secret, documents, version, data, limits, knownSecrets, personalData, fingerprintKey }: WorkerSetup = workerData;

/** Values that could be placeholders of the product: only the thread that made them knows. */
const values = new Set<string>();
const looker = createLooker({
  detectors,
  limits,
  fingerprints: memory && { table: openTable(memory), secret, documents, version },
  data: data && openData(data),
  knownSecrets,
  personalData,
  isPlaceholder: (value) => (values.add(value), false),
  fingerprint: valueFingerprint(fingerprintKey),
});

parentPort?.on('message', ({ payload, length, outsideOf, ...part }: Job) => {
  values.clear();
  let answer: Answer;
  try {
    const budget = budgetFor(part.isHalf ? halfOf(limits) : limits, () => performance.now(), part.spentMs);
    const bytes = Buffer.from(payload, 0, length);
    const look = outsideOf === undefined ? looker.body(bytes, part, budget) : lookOutside(bytes, outsideOf, part, budget);
    answer = { look, values: [...values] };
  } catch (fault) {
    answer = { refused: refusalOf(fault) };
  }
  parentPort?.postMessage(answer);
});

parentPort?.postMessage(READY);

/** The strings of a payload of `length` bytes that stand outside its body, as a list in JSON. */
function lookOutside(bytes: Buffer, length: number, { knownSecrets }: Pick<Part, 'knownSecrets'>, budget: Budget): Look {
  const found = looker.outside(JSON.parse(bytes.toString()), { length, knownSecrets }, budget);
  return { found, texts: undefined, isClosed: true };
}
