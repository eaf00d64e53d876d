// The short answer: which agents can do the four things that matter, today, without asking anybody.
import type { AuditReport } from './json.ts';

export interface Ability {
  readonly what: string;
  readonly agents: readonly string[];
  /** Said instead, when nobody can for want of an object. */
  readonly none?: string;
}

/** Over all workspaces; an agent counts once. `of`: agents of which anything is known. */
export function today({ summary }: Pick<AuditReport, 'summary'>): { readonly abilities: readonly Ability[]; readonly of: number } {
  const known = summary.filter(({ shell }) => !shell.startsWith('not known'));
  const who = (can: (row: AuditReport['summary'][number]) => boolean): readonly string[] => [
    ...new Set(known.filter(can).map(({ agent }) => agent)),
  ];
  return {
    abilities: [
      { what: 'run any command', agents: who(({ shell }) => shell.startsWith('any command, without')) },
      { what: 'write outside the workspace', agents: who(({ write }) => write.startsWith('anywhere')) },
      { what: 'reach any host', agents: who(({ network }) => network.startsWith('any host')) },
      {
        what: 'read your keys',
        agents: who(({ secrets }) => secrets.startsWith('can read')),
        ...(known.every(({ secrets }) => secrets.startsWith('no secret files')) ? { none: 'no key files were found' } : {}),
      },
    ],
    of: new Set(known.map(({ agent }) => agent)).size,
  };
}

/** `claude-code, codex and 3 more` */
export function named(agents: readonly string[], shown = 4): string {
  const more = agents.length - shown;
  return more > 0 ? `${agents.slice(0, shown).join(', ')} and ${more} more` : agents.join(', ');
}
