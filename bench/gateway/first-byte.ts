// Time to the first byte of a streamed answer, one call after the other on a connection of its own, against the same call at the upstream
// itself: what a person who types alone waits longer.
import { Pool } from 'undici';
import { bodyOf } from './drive.ts';
import type { Running } from './processes.ts';
import type { Subject } from './subjects.ts';

export interface FirstByteRow {
  readonly subject: string;
  /** Milliseconds, medians. */
  readonly firstByteMs: number;
  readonly addedMs: number;
  readonly added90Ms: number;
}

type Place = Pick<Subject, 'name' | 'speaks' | 'path' | 'headers' | 'process'>;

export async function firstBytes(upstream: Running, subjects: readonly Subject[], calls = 200): Promise<FirstByteRow[]> {
  const itself: Place = {
    name: 'upstream itself',
    speaks: 'chat',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    process: upstream,
  };
  const places = [itself, ...subjects].map((place) => ({
    place,
    pool: new Pool(`http://127.0.0.1:${place.process.port}`, { connections: 1 }),
    times: [] as number[],
  }));
  for (let call = -50; call < calls; call++) {
    for (const { place, pool, times } of places) {
      const time = await firstByte(pool, place);
      if (call >= 0) times.push(time);
    }
  }
  const floor = quantile(places[0]?.times ?? [], 0.5);
  const rows = places.map(({ place, times }) => ({
    subject: place.name,
    firstByteMs: round(quantile(times, 0.5)),
    addedMs: round(quantile(times, 0.5) - floor),
    added90Ms: round(quantile(times, 0.9) - floor),
  }));
  for (const { pool } of places) await pool.destroy();
  return rows;
}

async function firstByte(pool: Pool, place: Place): Promise<number> {
  const began = performance.now();
  const { statusCode, body } = await pool.request({
    path: place.path,
    method: 'POST',
    headers: place.headers,
    body: bodyOf(place, 'What does this function do?', true),
  });
  let first: number | undefined;
  for await (const _chunk of body) first ??= performance.now() - began;
  if (statusCode !== 200 || first === undefined) throw new Error(`${place.name} answered with ${statusCode}`);
  return first;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
