// `doctor`: probes each layer of the sandbox by doing it, and says the one command that mends what is missing. `--fix` shows the AppArmor
// profile that Ubuntu wants, and installs it when the person says yes.
import fs from 'node:fs';
import { faults, IntramurError, placesFrom } from '../core/index.ts';
import { auditLayer, bubblewrap, type Diagnosis, doctor, installProfile, profilePlan, surroundingsOf } from '../sandbox/index.ts';
import { agreed } from './agreed.ts';
import type { CliIo } from './io.ts';
import { jsonOption, type Options, parseOptions } from './options.ts';

const options = {
  ...jsonOption,
  fix: { type: 'boolean', default: false, does: 'show what would mend this machine, and do it when asked' },
  yes: { type: 'boolean', default: false, does: 'do it without asking' },
} as const satisfies Options;
export const forms = { '': options };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseOptions(args, options);
  if (values.json && values.fix) throw new IntramurError('USAGE', '--fix asks a person; it does not go with --json');
  if (values.fix && !(await fix(values.yes, io))) return 1;
  const places = placesFrom(io.env, io.home);
  const diagnosis = await doctor(places);
  // The audit is an option: a machine without it is no less confined.
  const layers = [...diagnosis.layers, ...(diagnosis.mode === 'none' ? [] : [await auditLayer(places)])];
  show({ mode: diagnosis.mode, layers }, values.json, io);
  return diagnosis.mode === 'full' ? 0 : diagnosis.mode === 'degraded' ? 1 : faults.SANDBOX_UNAVAILABLE.exit;
}

function show({ mode, layers }: Diagnosis, asJson: boolean, io: CliIo): void {
  const surroundings = surroundingsOf();
  if (asJson) {
    io.stdout.write(`${JSON.stringify({ schema: 'intramur/doctor/1', mode, layers, surroundings }, undefined, 2)}\n`);
    return;
  }
  for (const { name, ok, reason, fix: command } of layers) {
    io.stdout.write(`${ok ? 'ok  ' : 'no  '} ${name}${reason ? `: ${reason}` : ''}\n`);
    if (!ok && command) io.stdout.write(`     fix: ${command}\n`);
  }
  for (const { says } of surroundings) io.stdout.write(`note ${says}\n`);
  io.stdout.write(`sandbox: ${mode}\n`);
}

/** @returns false when the person said no */
async function fix(isAgreed: boolean, io: CliIo): Promise<boolean> {
  if (!surroundingsOf().some(({ kind }) => kind === 'apparmor-userns')) {
    io.stdout.write('there is no restriction of AppArmor to lift here\n');
    return true;
  }
  const plan = profilePlan({
    directory: '/etc/apparmor.d',
    cacheDir: placesFrom(io.env, io.home).cache,
    home: io.home,
    bwrap: fs.realpathSync(bubblewrap()),
  });
  io.stdout.write(`${plan.text}\n${plan.notes.map((note) => `- ${note}\n`).join('')}\nto be written to ${plan.file}\n`);
  if (!isAgreed && !(await agreed('install it?', io))) {
    io.stdout.write('nothing was changed\n');
    return false;
  }
  installProfile(plan);
  io.stdout.write(`${plan.file} is in force\n`);
  return true;
}
