// `discard`: gives up a session's changes, or those named by `--only`. The workspace is not touched.
import { discardChanges, discardLayer } from '../sandbox/index.ts';
import type { CliIo } from './io.ts';
import { layerCommand, layerOptions, shown } from './layer-command.ts';

export const forms = { '': layerOptions };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { layer, session, changes, isPart, isJson } = layerCommand(args, io, { sensitive: false, wholeUnseen: true });
  if (isPart) discardChanges(layer, changes);
  else discardLayer(layer);
  const discarded = changes.map(({ path }) => path);
  if (isJson) io.stdout.write(`${JSON.stringify({ schema: 'intramur/discard/1', session, discarded }, undefined, 2)}\n`);
  else {
    for (const name of discarded) io.stdout.write(`discarded ${shown(name)}\n`);
    io.stderr.write(`session ${session}: ${discarded.length} discarded\n`);
  }
  return 0;
}
