// Tries one of the peers as an ordinary user: lays the canaries, runs the attempts in it, judges. The file of the verdicts comes by
// argument; standard input and output are a terminal of its own.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { layCanaries } from '../../test/escape/canaries.ts';
import { tools } from './tools.ts';

const [name, scratch = '', canary = '', reportFile = '', peers = ''] = process.argv.slice(2);
const tool = tools.find((one) => one.name === name);
if (!tool) throw new Error('usage: outside.ts TOOL DIRECTORY CANARY REPORT PEERS');

const kit = path.resolve(import.meta.dirname, '../..');
const canaries = await layCanaries(scratch, canary, 'direct', true);
const { place } = canaries;
delete process.env['NODE_CHANNEL_FD'];
const attempts = [path.join(kit, 'bin', 'node'), path.join(kit, 'test/escape/inside.ts'), JSON.stringify(place)];
const redirected = ['/bin/sh', '-c', 'exec "$0" "$@" > inside.jsonl 2> inside.err', ...attempts];
const { argv, env } = tool.command({ place, scratch, kit, peers }, redirected);
const [command = '', ...args] = argv;
// Not synchronously: the canaries that listen have to answer meanwhile.
const child = spawn(command, args, {
  cwd: place.workspace,
  env: { ...process.env, HOME: place.home, ...env },
  stdio: ['inherit', 'pipe', 'pipe'],
  timeout: 120_000,
});
let printed = '';
for (const stream of [child.stdout, child.stderr]) {
  stream.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
}
await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
const read = (file: string): string => {
  try {
    return fs.readFileSync(path.join(place.workspace, file), 'utf8');
  } catch {
    return '';
  }
};
const said = read('inside.jsonl');
const errors = `${read('inside.err')} ${printed}`;
const verdicts = canaries.judge(said, errors, { arrived: [], queriesElsewhere: 0 });
canaries.remove();
fs.writeFileSync(reportFile, JSON.stringify({ verdicts, ran: said !== '', errors: errors.slice(0, 4000) }));
process.exit(0);
