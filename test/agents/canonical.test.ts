// The gateway's canonical spelling, checked by the harness of `attest`: what arrives behind the gateway from Claude Code 2.1.197, which
// marks its surroundings, is the same in every surrounding. Without the gateway the same harness finds the marker (attest.test.ts).
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { attest } from '../../src/attest/index.ts';
import { apiKey, type InLine, rehearsal, runOnce } from '../../src/cli/attest/run-once.ts';
import { subjectOf } from '../../src/cli/attest/subject.ts';
import { prepareStage } from '../../src/cli/attest/surroundings.ts';
import { doctor } from '../../src/sandbox/index.ts';
import { claudeCode2x1x197 } from '../../src/testing/index.ts';
import { createRig, type Rig } from '../e2e/rig.ts';

const program = path.join(import.meta.dirname, 'node_modules', claudeCode2x1x197.program);
const { mode } = await doctor();
const why = mode === 'none' ? 'no sandbox here' : fs.existsSync(program) ? undefined : 'this version is not installed';
let rig: Rig;

beforeAll(async () => {
  rig = await createRig({ script: rehearsal });
  // The key that the agent is given in every run is a virtual key of this gateway; the model behind it is a public one.
  const sha256 = crypto.hash('sha256', apiKey('key-alder'));
  rig.configure(`organization: test
providers: [{ id: vendor, dialect: anthropic-messages, url: "${rig.upstream.url}", perimeter: public }]
models: { "*": [vendor/*] }
keys: [{ id: attested, sha256: ${sha256}, user: rowan, tool: claude-code, purpose: research }]
tools: { claude-code: { status: vetted } }
`);
  const started = await rig.intramur(['up', '--background']);
  if (started.code !== 0) throw new Error(started.stderr);
});
afterAll(() => rig.close());

it.skipIf(why !== undefined)(
  `what a marking agent sends is neutral behind the gateway${why === undefined ? '' : `, skipped: ${why}`}`,
  { timeout: 300_000 },
  async () => {
    const { gateway } = JSON.parse((await rig.intramur(['status', '--json'])).stdout) as { gateway: { url: string } };
    let seen = 0;
    const inLine: InLine = {
      port: Number(new URL(gateway.url).port),
      takeArrived() {
        const arrived = rig.upstream.received.at(-1);
        const isNew = rig.upstream.received.length > seen;
        seen = rig.upstream.received.length;
        return arrived !== undefined && isNew ? { rawHeaders: arrived.rawHeaders, body: arrived.body, target: arrived.path } : undefined;
      },
    };
    const io = {
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      stdin: new PassThrough(),
      cwd: rig.workspace,
      home: rig.home,
      env: rig.env,
    };
    const command = [program, ...claudeCode2x1x197.args('Create the file hello.txt with one line that says hello, then stop.')];
    const subject = await subjectOf(undefined, undefined, command, io);
    const stage = prepareStage(fs.mkdtempSync(path.join(rig.state, 'attest-')), rig.workspace);
    try {
      const result = await attest({
        run: (assignment) => runOnce(subject, stage, assignment, path.join(rig.state, 'cache'), inLine),
        vary: ['timezone', 'base-url'],
        random: Math.random,
      });
      expect(result.failures).toEqual([]);
      expect(result).toMatchObject({ covert: [], passed: true });
      expect(seen, 'the calls went through the gateway').toBeGreaterThanOrEqual(2 * result.runs);
    } finally {
      stage.close();
    }
  },
);
