// One run in the box, with a program that sends more than the box holds: what could not be compared is no evidence, and no run.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, expect, it } from 'vitest';
import { doctor, resolveProgram } from '../../sandbox/index.ts';
import { readAll } from '../boxed.ts';
import { runOnce } from './run-once.ts';
import { prepareStage } from './surroundings.ts';

const limit = 64 * 2 ** 20;
const { mode, layers } = await doctor();
const why = mode === 'none' ? `, skipped: ${layers.find(({ ok }) => !ok)?.reason ?? 'no sandbox here'}` : '';
const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'run-once-')));
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

it('a body is read up to the limit, and no further', async () => {
  const part = Buffer.alloc(2 ** 20);
  const parts = (count: number) => Array.from({ length: count }, () => part);
  const read = async (given: readonly Buffer[]) => (await readAll(Readable.from(given))).length;
  expect(await read(parts(64))).toBe(limit);
  await expect(read([...parts(64), Buffer.of(0)])).rejects.toMatchObject({ code: 'INSPECT_LIMIT' });
});

it.skipIf(why !== '')(`a run that sends a longer body beside its model call has failed, and says so${why}`, async () => {
  const workspace = path.join(home, 'work');
  fs.mkdirSync(workspace);
  const stage = prepareStage(fs.mkdtempSync(path.join(home, 'stage-')), workspace);
  try {
    const program = resolveProgram('/bin/sh', { PATH: process.env['PATH'] }, workspace);
    if (program === undefined) throw new Error('there is no shell');
    const message = '{"model":"any","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}';
    const script = `curl -sS "$ANTHROPIC_BASE_URL/v1/messages" -d '${message}'
      head -c ${limit + 1} /dev/zero | curl -sS -T - -H Expect: http://storage.example/`;
    const about = { adapter: undefined, recipe: undefined, version: '', sha256: '', main: program.path };
    const { failed, requests } = await runOnce({ name: 'toy', program, args: ['-c', script], ...about }, stage, {}, home);
    const read = requests.filter(({ target }) => target !== '').map(({ target, body }) => [target, body.length]);
    expect({ failed, read }).toEqual({ failed: 'a request of more than 64 MiB', read: [['/v1/messages', message.length]] });
  } finally {
    stage.close();
  }
});
