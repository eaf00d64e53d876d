// Looks at large payloads in threads of their own, so that the event loop stays free. All threads read one index in shared memory.
// Fail closed: a thread that dies, hangs or runs out of memory makes a refusal of the payload it had, never a clean report.
import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { IntramurError, type Report } from '../core/index.ts';
import { type DataIndex, type DataMemory, memoryOf } from './exact/data-table.ts';
import type { KnownSecret } from './known-secrets.ts';
import { defaultLimits, exceeded, type Limits } from './limits.ts';
import type { Found, Look } from './look.ts';
import { valueFingerprint } from './secrets.ts';
import type { FingerprintIndex, SourceDocument } from './source/index-file.ts';

export interface WorkerSetup {
  readonly memory: SharedArrayBuffer | undefined;
  readonly secret: Uint8Array;
  readonly documents: readonly SourceDocument[];
  readonly version: string;
  readonly data: DataMemory | undefined;
  readonly limits: Limits;
  readonly knownSecrets: readonly KnownSecret[];
  readonly personalData: boolean;
  readonly fingerprintKey: Uint8Array;
}

/** What the bytes are, and where they stand in the payload when they are a part of it. */
export interface Part {
  readonly isJson: boolean;
  readonly isInside: boolean;
  readonly offset: number;
  readonly knownSecrets: readonly KnownSecret[];
  /** Another thread has the other half: it may do half as much. */
  readonly isHalf?: boolean;
  /** Of the time that it may take, so much has gone by. */
  readonly spentMs?: number;
  /** Length of the payload, when the bytes are a list in JSON of the strings that stand outside its body. */
  readonly outsideOf?: number;
}

export interface Job extends Part {
  readonly payload: SharedArrayBuffer;
  readonly length: number;
}

export type Answer = { readonly look: Look; readonly values: readonly string[] } | { readonly refused: NonNullable<Report['refused']> };

export interface Workers {
  /** Rejects with INSPECT_FAILED or INSPECT_LIMIT when a thread could not say what the bytes hold. */
  look(bytes: Buffer, part: Part, isPlaceholder: (value: string) => boolean): Promise<Look>;
  /** How many threads wait for something to look at. */
  idle(): number;
  /** Threads end as soon as nothing waits for them. */
  retire(): void;
  /** Ends everything now; what is still looked at is refused. */
  close(): Promise<void>;
}

export interface WorkersOptions {
  readonly fingerprints: FingerprintIndex | undefined;
  readonly data?: DataIndex | undefined;
  readonly fingerprintKey: Uint8Array;
  readonly knownSecrets?: readonly KnownSecret[];
  readonly personalData?: boolean;
  readonly limits?: Partial<Limits>;
  /** Threads at most. Default: one less than the machine runs at once, and at least two. */
  readonly most?: number;
  /** What each thread runs. Default: worker-main.ts. */
  readonly program?: URL;
  /** Of the heap of a thread; what is decoded is bounded by the limits. */
  readonly maxHeapMb?: number;
}

/** Payloads that wait for a thread: more are refused. */
const MOST_WAITING = 64;
const MOST_WAITING_BYTES = 256 << 20;
/** Beyond the limit on time that a thread keeps by itself. */
const GRACE_MS = 3000;

interface Waiting {
  readonly job: Job;
  readonly promise: PromiseWithResolvers<Answer>;
}

interface Thread {
  readonly worker: Worker;
  /** What it looks at; `undefined` while it waits. */
  current: Waiting | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Its program is loaded, which takes longer than most payloads. */
  isReady: boolean;
}

/** What a thread says once, when it is loaded. */
export const READY = 'ready';

export function createWorkers(options: WorkersOptions): Workers {
  const { fingerprints, most = Math.max(2, Math.min(4, availableParallelism() - 1)), maxHeapMb = 512 } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const setup: WorkerSetup = {
    memory: fingerprints?.table.memory,
    secret: fingerprints?.secret ?? new Uint8Array(0),
    documents: fingerprints?.documents ?? [],
    version: fingerprints?.version ?? '',
    data: options.data && memoryOf(options.data),
    limits,
    knownSecrets: options.knownSecrets ?? [],
    personalData: options.personalData ?? false,
    fingerprintKey: options.fingerprintKey,
  };
  const fingerprint = valueFingerprint(options.fingerprintKey);
  const threads = new Set<Thread>();
  const queue: Waiting[] = [];
  /** Those that are still being copied count too. */
  let waiting = 0;
  let waitingBytes = 0;
  let isRetired = false;
  let isClosed = false;

  /** Takes the job from a thread; a thread that is not to go on is ended. INVARIANT: every job that was given is taken exactly once. */
  const take = (thread: Thread, goesOn: boolean): Waiting | undefined => {
    const { current } = thread;
    clearTimeout(thread.timer);
    thread.current = undefined;
    thread.worker.unref();
    if (!goesOn || (isRetired && queue.length === 0)) {
      threads.delete(thread);
      void thread.worker.terminate();
    }
    return current;
  };

  const end = (thread: Thread, fault: IntramurError): void => {
    take(thread, false)?.promise.reject(fault);
    next();
  };

  const start = (): Thread => {
    const worker = new Worker(options.program ?? programUrl(), {
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
      // Nothing of the environment and of the flags that the process was started with.
      env: {},
      execArgv: [],
    });
    const thread: Thread = { worker, current: undefined, timer: undefined, isReady: false };
    worker.unref();
    worker.on('message', (answer: Answer | typeof READY) => {
      thread.isReady = true;
      if (answer === READY) return;
      take(thread, true)?.promise.resolve(answer);
      next();
    });
    worker.on('error', (cause) => end(thread, new IntramurError('INSPECT_FAILED', 'a worker failed', { cause })));
    worker.on('messageerror', (cause) => end(thread, new IntramurError('INSPECT_FAILED', 'a worker could not be understood', { cause })));
    worker.on('exit', () => end(thread, new IntramurError('INSPECT_FAILED', 'a worker ended')));
    threads.add(thread);
    return thread;
  };

  const give = (thread: Thread, given: Waiting): void => {
    thread.current = given;
    const longest = limits.maxMs + GRACE_MS;
    thread.timer = setTimeout(() => end(thread, exceeded(`a worker took longer than ${longest} ms`)), longest);
    thread.worker.ref();
    thread.worker.postMessage(given.job);
  };

  const next = (): void => {
    if (isClosed) for (const { promise } of queue.splice(0)) promise.reject(ended());
    for (let first = queue[0]; first; first = queue[0]) {
      const idle = [...threads].find(({ current }) => current === undefined);
      if (!idle && threads.size >= most) return;
      queue.shift();
      waiting -= 1;
      waitingBytes -= first.job.length;
      try {
        give(idle ?? start(), first);
        // So that the next one can be halved.
        if (threads.size < Math.min(2, most)) start();
      } catch (cause) {
        first.promise.reject(new IntramurError('INSPECT_FAILED', 'a worker could not be started', { cause }));
      }
    }
  };

  return {
    async look(bytes, part, isPlaceholder) {
      if (waiting > MOST_WAITING || waitingBytes + bytes.length > MOST_WAITING_BYTES) throw exceeded('too many large payloads at once');
      const promise = Promise.withResolvers<Answer>();
      waiting += 1;
      waitingBytes += bytes.length;
      try {
        queue.push({ job: { ...part, payload: await copied(bytes), length: bytes.length }, promise });
      } catch (cause) {
        waiting -= 1;
        waitingBytes -= bytes.length;
        throw new IntramurError('INSPECT_LIMIT', 'there is no memory for a payload', { cause });
      }
      next();
      const answer = await promise.promise;
      if ('refused' in answer) throw new IntramurError(answer.refused.code, answer.refused.reason);
      const ours = new Set(answer.values.filter(isPlaceholder).map((value) => `${value.length} characters, #${fingerprint(value)}`));
      return ours.size === 0 ? answer.look : { ...answer.look, found: without(answer.look.found, ours) };
    },
    idle: () => [...threads].filter(({ isReady, current }) => isReady && current === undefined).length - waiting,
    retire() {
      isRetired = true;
      for (const thread of threads) if (thread.current === undefined) take(thread, false);
    },
    async close() {
      isClosed = true;
      next();
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}

function ended(): IntramurError {
  return new IntramurError('INSPECT_FAILED', 'inspection has ended');
}

/** As much as is copied without letting others have a turn. */
const PIECE = 1 << 20;

async function copied(bytes: Buffer): Promise<SharedArrayBuffer> {
  const memory = new SharedArrayBuffer(bytes.length);
  const copy = new Uint8Array(memory);
  for (let at = 0; at < bytes.length; at += PIECE) {
    copy.set(bytes.subarray(at, at + PIECE), at);
    if (at + PIECE < bytes.length) await nextTurn();
  }
  return memory;
}

/** The findings that are no placeholders of our own: told by how they are described. */
function without(found: Found, ours: ReadonlySet<string>): Found {
  return { ...found, secrets: found.secrets.filter(({ redacted }) => !ours.has(/\d+ characters, #\w+$/.exec(redacted)?.[0] ?? '')) };
}

/** Beside this file in the source tree; in the bundle a file of its own above the chunks. */
function programUrl(): URL {
  const own = new URL(import.meta.url);
  if (own.pathname.endsWith('.ts')) return new URL('./worker-main.ts', own);
  return new URL(own.pathname.includes('/chunks/') ? '../inspect-worker.js' : './inspect-worker.js', own);
}
