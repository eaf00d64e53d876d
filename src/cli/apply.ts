// `apply`: brings a session's changes into the workspace. What can run or steer something later is asked for; what must never come
// back does not.
import { applyChanges, type Change } from '../sandbox/index.ts';
import { agreed, isTerminal } from './agreed.ts';
import type { CliIo } from './io.ts';
import { applyOptions, layerCommand, line, shown } from './layer-command.ts';

export const forms = { '': applyOptions };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { layer, session, changes, rest, isJson, withSensitive, cacheDir } = layerCommand(args, io, { sensitive: true });
  const sensitive = changes.filter((change) => change.class === 'sensitive');
  const isAgreed = withSensitive || (sensitive.length > 0 && !isJson && (await mayApply(sensitive, io)));
  const outcome = applyChanges(layer, changes, { withSensitive: isAgreed, cacheDir, rest });
  if (isJson) io.stdout.write(`${JSON.stringify({ schema: 'intramur/apply/1', session, ...outcome }, undefined, 2)}\n`);
  else {
    for (const name of outcome.applied) io.stdout.write(`applied  ${shown(name)}\n`);
    for (const { path, why } of outcome.refused) io.stdout.write(`refused  ${shown(path)}: ${shown(why)}\n`);
    for (const { path, why } of outcome.conflicts) io.stdout.write(`conflict ${shown(path)}: ${shown(why)}\n`);
    io.stderr.write(
      `session ${session}: ${outcome.applied.length} applied, ${outcome.refused.length} refused, ${outcome.conflicts.length} conflicts\n`,
    );
  }
  return outcome.refused.length + outcome.conflicts.length === 0 ? 0 : 1;
}

async function mayApply(sensitive: readonly Change[], io: CliIo): Promise<boolean> {
  if (!isTerminal(io.stdin) || !isTerminal(io.stderr)) return false;
  for (const change of sensitive) io.stderr.write(line(change));
  const many = `these ${sensitive.length} can run or steer something later. Apply them too?`;
  return await agreed(sensitive.length === 1 ? 'this can run or steer something later. Apply it too?' : many, io);
}
