// `audit --fix`: shows what the audit can mend by itself, and does it when a person says so, with a copy of what was there.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type Facts, type Fix, fixesFor } from '../../audit/index.ts';
import { IntramurError, type Places, product } from '../../core/index.ts';
import { agreed } from '../agreed.ts';
import type { CliIo } from '../io.ts';
import { lineDiff } from '../line-diff.ts';
import { printable } from '../run/status-line.ts';

/** @returns 0 when there was nothing to do or all was done, 1 when something was shown only or could not be done */
export async function fix(facts: Facts, isAgreed: boolean, io: CliIo, places: Places): Promise<number> {
  const fixes = fixesFor(facts);
  if (fixes.length === 0) {
    io.stdout.write('nothing that the audit can mend by itself\n');
    return 0;
  }
  for (const one of fixes) io.stdout.write(shown(one));
  if (!isAgreed && !(await agreed(`Change ${fixes.length === 1 ? 'this file' : `these ${fixes.length} files`}?`, io))) {
    io.stderr.write(`${product.name}: nothing was changed; with --yes it is done without a question\n`);
    return 1;
  }
  const backup = path.join(places.state, 'backups', new Date().toISOString().replaceAll(/[:.]/g, '-'));
  const failed = fixes.flatMap((one) => {
    try {
      apply(one, backup);
      return [];
    } catch (fault) {
      return [`${printable(one.file)}: ${fault instanceof Error ? fault.message : 'not changed'}`];
    }
  });
  for (const line of failed) io.stderr.write(`${product.name}: ${line}\n`);
  io.stdout.write(`${fixes.length - failed.length} of ${fixes.length} files mended; what was there lies in ${backup}\n`);
  return failed.length === 0 ? 0 : 1;
}

function shown(one: Fix): string {
  const does = one.does.map((line) => `# ${printable(line)}\n`).join('');
  if (one.kind === 'mode') return `${does}chmod ${one.after.toString(8)} ${printable(one.file)}   # was ${one.before.toString(8)}\n\n`;
  const diff = lineDiff({ name: one.file, text: one.before }, { name: one.file, text: one.after });
  // The whole file may be long, and may hold what is nobody's business: only what changes, with the lines around it.
  const lines = diff.split('\n');
  const near = lines.filter((_, i) => i < 2 || lines.slice(Math.max(2, i - 2), i + 3).some((line) => /^[+-]/.test(line)));
  return `${does}${near.map(printable).join('\n')}\n\n`;
}

/** INVARIANT: the copy is on the disk before the file changes, and a file that is not what was looked at stays as it is. */
function apply(one: Fix, backup: string): void {
  const stat = fs.lstatSync(one.file);
  if (!stat.isFile()) throw new IntramurError('USAGE', 'is no regular file any more');
  const copy = path.join(backup, one.file);
  fs.mkdirSync(path.dirname(copy), { recursive: true, mode: 0o700 });
  if (one.kind === 'mode') {
    if ((stat.mode & 0o7777) !== one.before) throw new IntramurError('USAGE', 'its mode changed meanwhile');
    fs.writeFileSync(`${copy}.mode`, `${one.before.toString(8)}\n`, { mode: 0o600, flag: 'wx' });
    fs.chmodSync(one.file, one.after);
    return;
  }
  if (fs.readFileSync(one.file, 'utf8') !== one.before) throw new IntramurError('USAGE', 'it changed meanwhile');
  fs.writeFileSync(copy, one.before, { mode: 0o600, flag: 'wx' });
  const part = `${one.file}.${crypto.randomBytes(4).toString('hex')}.part`;
  fs.writeFileSync(part, one.after, { mode: stat.mode & 0o777, flag: 'wx' });
  fs.chmodSync(part, stat.mode & 0o777);
  fs.renameSync(part, one.file);
}
