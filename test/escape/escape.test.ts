// Every known way out of the sandbox, tried in it by an ordinary user and, where these tests run as root, by root; judged outside by
// canaries. Each row names the layer that stops it.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doctor } from '../../src/sandbox/index.ts';
import { attempts } from './attempts/index.ts';
import { newCanary, withLeak } from './canaries.ts';
import { type Kit, kitFor } from './kit.ts';
import type { Report } from './outside.ts';
import { users } from './user.ts';

const { mode: enforcement, layers } = await doctor();
const reasons = layers.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`);
const who = users();
const missing = who.some(({ name }) => name === 'root') ? '' : ' (not run as root: the half for root is left out)';

describe.skipIf(enforcement === 'none')(
  `out of the sandbox${missing}${enforcement === 'none' ? `, skipped: ${reasons.join('; ')}` : ''}`,
  () => {
    describe.each(who)('as $name', (user) => {
      describe.each(['overlay', 'direct'] as const)('%s', (mode) => {
        let report: Report;
        let kit: Kit;

        beforeAll(() => {
          kit = kitFor(user);
          const { scratch, node, outside } = kit;
          const canary = newCanary();
          const reportFile = path.join(scratch, 'report.json');
          const [command, ...args] = user.command(withLeak(scratch, canary, [node, outside, mode, scratch, canary, reportFile]));
          const run = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 });
          if (run.status !== 0) throw new Error(`the attempts did not run: ${run.status} ${run.signal} ${run.stderr}`);
          report = JSON.parse(fs.readFileSync(reportFile, 'utf8')) as Report;
        }, 90_000);

        afterAll(() => kit.remove());

        it.each(
          attempts.map((attempt) => ({ ...attempt, stops: typeof attempt.layer === 'string' ? attempt.layer : attempt.layer[mode] })),
        )('$group: $id ($stops)', ({ id }) => {
          expect(report.verdicts.find((one) => one.id === id)).toEqual({ id, contained: true, seen: expect.any(String) });
        });

        it('leaves no stray file in the workspace', () => {
          expect(report.stray).toEqual([]);
        });

        it('names what would never be applied and is in the workspace itself', () => {
          expect(report.unnamed).toEqual([]);
        });
      });
    });
  },
);
