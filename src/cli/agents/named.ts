// Which tool is meant, and what is known of it: its id by id or program name, the hosts that are its own, the program that is installed.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { catalogue } from '../../audit/index.ts';
import { IntramurError, nearest, product } from '../../core/index.ts';
import type { CliIo } from '../io.ts';
import { programOf } from '../run/program.ts';

const known = catalogue.filter(({ kind }) => kind === 'agent');

/** `claude` means `claude-code`; a name that nobody knows stands for the program of that name. */
export function identify(given: string): { readonly id: string; readonly remark?: string } {
  if (!/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(given))
    throw new IntramurError('USAGE', `${JSON.stringify(given)} is no name of a tool: letters, digits and . _ @ -`);
  if (known.some(({ id }) => id === given)) return { id: given };
  const entry = known.find(({ detect }) => detect.bin?.includes(given));
  if (entry !== undefined) return { id: entry.id, remark: `${given} is a program of ${entry.id}` };
  const meant = nearest(
    given,
    known.map(({ id }) => id),
  );
  return {
    id: given,
    remark: `no agent is known by the name "${given}"${meant === undefined ? '' : ` (did you mean "${meant}"?)`}; it stands for a program of that name`,
  };
}

/** Model and telemetry hosts that no other agent uses, unless that one is banned too. */
export function hostsOf(agent: string, isBanned: (id: string) => boolean): readonly string[] {
  const hosts = (id: string): readonly string[] => {
    const entry = known.find((one) => one.id === id);
    return [...(entry?.modelHosts ?? []), ...(entry?.telemetry?.hosts ?? [])];
  };
  const others = new Set(known.filter(({ id }) => id !== agent && !isBanned(id)).flatMap(({ id }) => hosts(id)));
  return [...new Set(hosts(agent))].filter((host) => !others.has(host) && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)).sort();
}

/** Version and hash of the program that the search path finds now. */
export async function installedPin(agent: string, io: CliIo): Promise<{ readonly versions?: string; readonly sha256: string }> {
  const names = known.find(({ id }) => id === agent)?.detect.bin ?? [agent];
  for (const name of names) {
    try {
      const { file, version, tool } = await programOf([name], io);
      if (tool !== agent && tool !== name) continue;
      const hash = createHash('sha256');
      for await (const chunk of fs.createReadStream(file)) hash.update(chunk);
      return { ...(version === undefined ? {} : { versions: version }), sha256: hash.digest('hex') };
    } catch (fault) {
      if (!(fault instanceof IntramurError)) throw fault;
    }
  }
  throw new IntramurError('CONFIG_NOT_FOUND', `${agent} is not on the search path`, {
    hint: `say what to pin: ${product.name} agents pin ${agent} --sha256 H`,
  });
}
