// `policy check [DIR]`: strict validation, of what is configured or of one directory.
import path from 'node:path';
import { IntramurError } from '../../core/index.ts';
import type { CliIo } from '../io.ts';
import { parseOptions } from '../options.ts';
import { commonOptions, configured, engineFor, print } from './place.ts';

export async function check(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseOptions(args, commonOptions, 1);
  const [directory] = positionals;
  const meant = directory === undefined ? await configured(io, values.config) : { packs: [], policies: [path.resolve(io.cwd, directory)] };
  const {
    bundle,
    digest,
    packs,
    unasked,
    notes: said,
  } = await engineFor(meant).catch((fault: unknown) => {
    // Programs get the faults as data; people, and the exit code, as ever.
    if (values.json && fault instanceof IntramurError && fault.code === 'POLICY_INVALID') print(io, invalidDocument(fault.message));
    throw fault;
  });
  const policies = [...bundle.policies.values()].map(({ id, json, file, line }) => ({ id, effect: json.effect, file, line }));
  const notes = [...unasked.map((id) => `${id} has no effect yet: nothing asks about its actions`), ...said];
  if (values.json) {
    print(io, { schema: 'intramur/policy-check/1', ok: true, digest, packs, policies, notes });
    return 0;
  }
  for (const note of notes) io.stdout.write(`note: ${note}\n`);
  io.stdout.write(`${policies.length} ${policies.length === 1 ? 'policy is' : 'policies are'} valid (${digest.slice(0, 12)})\n`);
  return 0;
}

/** A fault is `file:line:column: what`, one a line; some are about a whole file or directory. */
function invalidDocument(said: string): object {
  const faults = said.split('\n').map((line) => {
    const [, file, row, column, message] = /^(.+?):(\d+):(\d+): (.*)$/.exec(line) ?? [];
    return {
      file: file ?? null,
      line: row === undefined ? null : Number(row),
      column: column === undefined ? null : Number(column),
      message: message ?? line,
    };
  });
  return { schema: 'intramur/policy-check/1', ok: false, faults };
}
