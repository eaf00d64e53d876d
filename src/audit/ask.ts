// `audit --ask`: questions as JSON lines in, one document of answers out, in the same order.
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import { type AuditOptions, gather } from './audit.ts';
import { catalogue } from './catalogue/index.ts';
import { decide, situationFor } from './effective.ts';
import { type Action, type Answer, actions } from './permissions/index.ts';
import { display } from './read/display.ts';

interface Asked {
  readonly agent: string;
  readonly workspace: string;
  readonly action: Action;
  readonly target: string;
}

export interface Answers {
  readonly schema: 'intramur/audit-ask/1';
  readonly answers: readonly Answer[];
}

/** @throws IntramurError USAGE naming the line that is no question */
export function parseQuestions(input: string): readonly Asked[] {
  return input.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const asked = questionIn(line);
    if (typeof asked === 'string') throw new IntramurError('USAGE', `question ${index + 1}: ${asked}`);
    return [asked];
  });
}

function questionIn(line: string): Asked | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not a JSON object on one line';
  }
  if (typeof value !== 'object' || value === null) return 'not a JSON object on one line';
  const read = (key: string): unknown => (Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined);
  const [agent, workspace, action, target] = [read('agent'), read('workspace'), read('action'), read('target')];
  if (typeof agent !== 'string' || !catalogue.some(({ id }) => id === agent))
    return `agent: ${JSON.stringify(agent)} is not in the catalogue`;
  const known = actions.find((one) => one === action);
  if (known === undefined) return `action: ${JSON.stringify(action)} is none of ${actions.join(', ')}`;
  if (typeof target !== 'string') return 'target: text expected';
  if (workspace !== undefined && workspace !== null && typeof workspace !== 'string') return 'workspace: text expected';
  return { agent, workspace: typeof workspace === 'string' ? workspace : '', action: known, target };
}

export function ask(options: AuditOptions, questions: readonly Asked[]): Answers {
  const base = options.root === undefined ? undefined : path.resolve(options.cwd, options.root);
  const inside = (workspace: string): string => {
    const absolute = path.resolve(base === undefined ? options.cwd : '/', workspace);
    return base !== undefined && absolute.startsWith(`${base}/`) ? absolute.slice(base.length) : absolute;
  };
  const workspaces = [...new Set(questions.map(({ workspace }) => inside(workspace)))];
  const facts = gather({ ...options, dirs: options.dirs, only: workspaces });
  const answers = questions.map(({ agent, workspace, action, target }) => {
    const entry = catalogue.find(({ id }) => id === agent);
    if (entry === undefined) throw new IntramurError('USAGE', `unknown agent "${agent}"`);
    const answered = decide(situationFor(facts, entry, inside(workspace)), { action, target });
    return {
      mode: answered.mode,
      source: { ...answered.source, file: answered.source.file === null ? null : display(answered.source.file) },
    };
  });
  return { schema: 'intramur/audit-ask/1', answers };
}
