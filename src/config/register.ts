// The register of tools that `agents ban|vet|pin` keeps: what people said of a tool, newest last, in one file of the state directory.
// The newest statement that applies decides. INVARIANT: no workspace reaches this file, so that no repository can loosen it.
import fs from 'node:fs';
import path from 'node:path';
import { IntramurError, type Vetting } from '../core/index.ts';
import { satisfies } from './satisfies.ts';

/** `pin`: only what it describes may run, and that is vetted. `vet` and `ban` hold for what they describe; without versions and hash, for all. */
export const verbs = ['ban', 'vet', 'pin'] as const;
export type Verb = (typeof verbs)[number];

export interface Statement {
  readonly verb: Verb;
  readonly agent: string;
  readonly versions?: string;
  readonly sha256?: string;
  readonly reason?: string;
  readonly by: string;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** Of a ban: hosts that only this tool uses, closed for everybody. */
  readonly hosts?: readonly string[];
}

export type Register = readonly Statement[];

export interface RunningTool {
  readonly id: string;
  readonly version?: string | undefined;
  readonly sha256?: string | undefined;
}

export interface Judgement {
  readonly vetting: Vetting;
  readonly statement: Statement;
}

/** Statements about one tool; none is dropped to make room, because it might be a ban. */
const maxStatements = 64;
const maxRegisterBytes = 4 << 20;

export function registerFileIn(stateDirectory: string): string {
  return path.join(stateDirectory, 'agents.json');
}

/**
 * What the register says of one tool; `undefined` when nothing applies. What cannot be known (version, hash) never makes a tool vetted and
 * never saves it from a ban. A ban by hash holds under every name, whatever is said of that name.
 */
export function judge(register: Register, tool: RunningTool): Judgement | undefined {
  const elsewhere = register.findLast(
    ({ verb, agent, sha256 }) => verb === 'ban' && agent !== tool.id && sha256 !== undefined && sha256 === tool.sha256?.toLowerCase(),
  );
  if (elsewhere) return { vetting: 'banned', statement: elsewhere };
  const own = register.filter(({ agent }) => agent === tool.id);
  for (const statement of own.toReversed()) {
    const matches = describes(statement, tool);
    if (statement.verb === 'ban' && matches !== false) return { vetting: 'banned', statement };
    if (statement.verb === 'vet' && matches === true) {
      // Part of a tool does not lift the ban of another part that this one happens to be in, too.
      const ban = isWhole(statement) ? undefined : own.find((one) => one.verb === 'ban' && !isWhole(one) && describes(one, tool) === true);
      return ban ? { vetting: 'banned', statement: ban } : { vetting: 'vetted', statement };
    }
    if (statement.verb === 'pin') return { vetting: matches === true ? 'vetted' : 'banned', statement };
  }
  return undefined;
}

/** True when hash or version is surely the one; `unknown` when one of them cannot be told. */
function describes({ versions, sha256 }: Statement, tool: RunningTool): boolean | 'unknown' {
  const parts = [
    versions === undefined ? true : tool.version === undefined ? 'unknown' : satisfies(tool.version, versions),
    sha256 === undefined ? true : tool.sha256 === undefined ? 'unknown' : tool.sha256.toLowerCase() === sha256,
  ];
  return parts.includes(false) ? false : parts.includes('unknown') ? 'unknown' : true;
}

/** True when the hash of a program of this name matters to anybody. */
export function needsHash(register: Register, id: string): boolean {
  return register.some(({ verb, agent, sha256 }) => sha256 !== undefined && (agent === id || verb === 'ban'));
}

/** Hosts of banned tools, with the tool that each belongs to. A ban that a newer statement of the same tool lifts closes nothing. */
export function closedHosts(register: Register): ReadonlyMap<string, string> {
  const closed = new Map<string, string>();
  for (const agent of new Set(register.map((statement) => statement.agent))) {
    const last = register.findLast((statement) => statement.agent === agent && (statement.verb !== 'ban' || isWhole(statement)));
    if (last?.verb === 'ban') for (const host of last.hosts ?? []) closed.set(host, agent);
  }
  return closed;
}

/** A statement about all of a tool makes what was said before void. */
export function isWhole({ verb, versions, sha256 }: Pick<Statement, 'verb' | 'versions' | 'sha256'>): boolean {
  return verb === 'pin' || (versions === undefined && sha256 === undefined);
}

/** The ban of all of a tool that stands. What is said of a part of the tool must not lift it for that part unnoticed. */
export function wholeBanOf(register: Register, id: string): Statement | undefined {
  return register.findLast((one) => one.agent === id && one.verb === 'ban' && isWhole(one));
}

/** @throws IntramurError USAGE when there is no room */
export function withStatement(register: Register, statement: Statement): Register {
  const others = register.filter(({ agent }) => agent !== statement.agent);
  const own = isWhole(statement)
    ? []
    : register.filter(
        (known) =>
          known.agent === statement.agent && (isWhole(known) || known.versions !== statement.versions || known.sha256 !== statement.sha256),
      );
  if (own.length >= maxStatements)
    throw new IntramurError('USAGE', `more than ${maxStatements} statements about ${statement.agent}`, {
      hint: 'ban, vet or pin it as a whole first',
    });
  return [...others, ...own, statement];
}

/** @throws IntramurError CONFIG_INVALID: a register that does not read might hold a ban, so nothing goes on without it */
export function readRegister(file: string): Register {
  let value: unknown;
  try {
    const stat = fs.statSync(file);
    if (!stat.isFile() || stat.size > maxRegisterBytes) throw new Error('not a register');
    value = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw new IntramurError('CONFIG_INVALID', `${file}: the register of tools does not read`, { cause });
  }
  const list = fieldOf(value, 'statements');
  if (!Array.isArray(list)) throw new IntramurError('CONFIG_INVALID', `${file}: "statements" is not a list`);
  return list.map((one: unknown, index) => {
    const statement = statementFrom(one);
    if (statement === undefined) throw new IntramurError('CONFIG_INVALID', `${file}: statement ${index + 1} is none`);
    return statement;
  });
}

/** Replaced as a whole, so that a reader never sees half of it. */
export function writeRegister(file: string, statements: Register): void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const part = `${file}.${process.pid}.part`;
  fs.rmSync(part, { force: true });
  const handle = fs.openSync(part, 'wx', 0o600);
  try {
    fs.writeFileSync(handle, `${JSON.stringify({ schema: 'intramur/register/1', statements }, undefined, 2)}\n`);
    fs.fdatasyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
  fs.renameSync(part, file);
}

const idShape = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
/** Comparisons of versions, all of which hold: `>=2.1.198 <3`. */
export function isVersionRange(text: string): boolean {
  return versionsShape.test(text) && text.length <= 500;
}

const versionsShape = /^\s*(?:(?:[<>]=?|=)?\s*\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?\s*)+$/;

/** A statement from outside, checked; `undefined` when anything in it is not what it must be. */
export function statementFrom(value: unknown): Statement | undefined {
  const text = (name: string, shape: RegExp): string | undefined | false => {
    const field = fieldOf(value, name);
    return field === undefined ? undefined : typeof field === 'string' && shape.test(field) && field.length <= 500 && field;
  };
  const verb = verbs.find((one) => one === fieldOf(value, 'verb'));
  const [agent, by, at] = [text('agent', idShape), text('by', /^[^\p{C}]+$/u), text('at', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)];
  const [versions, sha256, reason] = [text('versions', versionsShape), text('sha256', /^[0-9a-f]{64}$/), text('reason', /^[^\p{C}]*$/u)];
  const hosts = fieldOf(value, 'hosts') ?? [];
  if (verb === undefined || !agent || !by || !at || versions === false || sha256 === false || reason === false) return undefined;
  if (verb === 'pin' && versions === undefined && sha256 === undefined) return undefined;
  if (!Array.isArray(hosts) || !hosts.every((host) => typeof host === 'string' && /^[a-z0-9.-]{1,253}$/.test(host))) return undefined;
  return {
    verb,
    agent,
    ...(versions === undefined ? {} : { versions: versions.trim() }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(reason === undefined ? {} : { reason }),
    by,
    at,
    ...(hosts.length === 0 ? {} : { hosts }),
  };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}
