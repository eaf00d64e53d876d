// `diff`: what a session's layer would bring into the workspace.
import type { CliIo } from './io.ts';
import { layerCommand, layerOptions, line } from './layer-command.ts';

export const forms = { '': layerOptions };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { session, changes, isJson } = layerCommand(args, io, { sensitive: false });
  if (isJson) {
    const entries = changes.map(({ path, change, class: kind, why, bytes, conflict }) => ({
      path,
      change,
      class: kind,
      why,
      bytes,
      ...(conflict === undefined ? {} : { conflict }),
    }));
    io.stdout.write(`${JSON.stringify({ schema: 'intramur/diff/1', session, entries }, undefined, 2)}\n`);
    return 0;
  }
  for (const change of changes) io.stdout.write(line(change));
  io.stderr.write(
    changes.length === 0
      ? `session ${session}: nothing changed\n`
      : `session ${session}: ${changes.length} ${changes.length === 1 ? 'change' : 'changes'}; intramur apply, or intramur discard\n`,
  );
  return 0;
}
