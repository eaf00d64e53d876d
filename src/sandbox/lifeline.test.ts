// The death of the launcher by a signal that it cannot hear, at every moment around the start of the program: it leaves nothing inside.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doctor } from './doctor.ts';
import { boxIn } from './testdata/box.ts';

const { mode: enforcement, layers } = await doctor();
const why = layers.find(({ ok }) => !ok)?.reason ?? '';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-lifeline-')));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

const launchFile = JSON.stringify(path.join(import.meta.dirname, 'launch.ts'));
/** A launcher that is killed keeps nothing of what it has compiled, so one that is not does it for all: it is most of what each of them takes. */
const env = { ...process.env, NODE_COMPILE_CACHE: path.join(scratch, 'compiled') };
beforeAll(() => void spawnSync(process.execPath, ['--input-type=module', '-e', `import ${launchFile};`], { env }));

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** Every process of a sandbox has the mark among its arguments. */
function marked(mark: string): string[] {
  return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name) && read(`/proc/${name}/cmdline`).includes(mark));
}

/** Starts a launcher that kills itself so long after the moment, and says what of its sandbox is left three seconds later. */
async function leftAfterKill(name: string, moment: 'launching' | 'launched', delayMs: number): Promise<string[]> {
  const mark = `62.${process.pid}${name}`;
  const plan = boxIn(path.join(scratch, name), {
    argv: ['/bin/sh', '-c', `while :; do sleep ${mark}; done`],
    cacheDir: path.join(scratch, 'cache'),
    mode: 'overlay',
  });
  const code = `import { launch } from ${launchFile};
    const launched = launch(${JSON.stringify(plan)}, { listening() {}, unanswered() {} });
    if ('${moment}' === 'launched') await launched;
    const at = performance.now() + ${delayMs};
    const die = () => performance.now() < at ? setImmediate(die) : process.kill(process.pid, 'SIGKILL');
    setTimeout(die, 0);`;
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore', env });
  expect(await once(launcher, 'exit')).toEqual([null, 'SIGKILL']);
  let left = marked(mark);
  for (const until = performance.now() + 3000; left.length > 0 && performance.now() < until; left = marked(mark)) await wait(20);
  const found = left.map((pid) => read(`/proc/${pid}/comm`).trim());
  for (const pid of left) spawnSync('kill', ['-KILL', pid]);
  return found;
}

describe.skipIf(enforcement === 'none')(`the lifeline${enforcement === 'none' ? `, skipped: ${why}` : ''}`, () => {
  it('a launcher that is killed while the program starts takes it along', async () => {
    for (let round = 0; round < 3; round++) {
      for (let delayMs = 0; delayMs < 20; delayMs++) {
        expect({ delayMs, left: await leftAfterKill(`${round}x${delayMs}`, 'launched', delayMs) }).toEqual({ delayMs, left: [] });
      }
    }
  }, 120_000);

  it('one that is killed before leaves nothing that waits for it', async () => {
    const left: string[] = [];
    for (let i = 0; i < 60; i++) left.push(...(await leftAfterKill(`early${i}`, 'launching', i / 5)));
    // Between two calls of bubblewrap's there is a moment in which it does: once may be chance.
    expect(left.length).toBeLessThanOrEqual(1);
  }, 120_000);
});
