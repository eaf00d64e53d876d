// Policy files into one validated bundle. INVARIANT: nothing reaches an evaluator that strict validation has not passed, without
// an error and without a warning: Cedar takes a rule that can never apply for merely odd, here it is a hole.
import crypto from 'node:crypto';
import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { nearest, type PolicyId } from '../core/index.ts';
import { type ActionTable, actionTable, groupNamedAsAction } from './action-index.ts';
import { annotationFault } from './annotations.ts';
import { type Cedar, loadCedar } from './evaluate.ts';
import { type Proven, shippedPolicies } from './proven.ts';
import { namespace, schema } from './schema.ts';
import { invalid, type PolicyFile } from './source.ts';

export interface LoadedPolicy {
  readonly id: PolicyId;
  readonly text: string;
  readonly json: PolicyJson;
  readonly file: string;
  readonly line: number;
}

/** With its place: where its text begins in its file, in bytes. */
interface Placed extends LoadedPolicy {
  readonly source: Source;
  readonly offset: number;
}

export interface Bundle {
  /** SHA-256 of schema and policies, hex. */
  readonly digest: string;
  readonly policies: ReadonlyMap<PolicyId, LoadedPolicy>;
  readonly actions: ActionTable;
}

const maxPolicies = 5000;

/**
 * @param load is asked for Cedar when a file holds what `proven` does not know
 * @throws IntramurError POLICY_INVALID that names file, line, column and the nearest valid word
 */
export async function makeBundle(
  files: readonly PolicyFile[],
  load: () => Promise<Cedar> = loadCedar,
  proven: Proven = shippedPolicies,
): Promise<Bundle> {
  const policies = new Map<PolicyId, LoadedPolicy>();
  const unproven = new Map<PolicyId, Placed>();
  const add = (policy: LoadedPolicy, where: string) => {
    const other = policies.get(policy.id);
    if (other) throw invalid(`${where}: @id("${nameOf(policy)}") is already used in ${other.file}:${other.line}`);
    policies.set(policy.id, policy);
    if (policies.size > maxPolicies) throw invalid(`more than ${maxPolicies} policies`);
  };
  for (const file of files) {
    const source = new Source(file);
    const known = proven(file.bytes);
    if (known) {
      for (const { start, end, json } of known)
        add(source.policy(file.bytes.toString('utf8', start, end), json, start), source.where(start));
      continue;
    }
    for (const placed of source.parts(await load())) {
      const { source: _, offset, ...policy } = placed;
      add(policy, source.where(offset));
      unproven.set(policy.id, placed);
    }
  }
  // Cedar validates each policy by itself.
  if (unproven.size > 0) validate(await load(), unproven);

  const hash = crypto.createHash('sha256').update(schema);
  for (const [id, { text }] of [...policies].toSorted(([a], [b]) => (a < b ? -1 : 1))) hash.update(`\0${id}\0${text}`);
  return { digest: hash.digest('hex'), policies, actions: actionTable };
}

function validate(cedar: Cedar, policies: ReadonlyMap<PolicyId, Placed>): void {
  const staticPolicies = Object.fromEntries([...policies].map(([id, { text }]) => [id, text]));
  const answer = cedar.validate({ schema, policies: { staticPolicies }, validationSettings: { mode: 'strict' } });
  if (answer.type === 'failure') throw invalid(answer.errors.map(({ message }) => message).join('\n') || 'the policies do not validate');
  const problems = answer.validationErrors.length > 0 ? answer.validationErrors : answer.validationWarnings;
  if (problems.length > 0) {
    // One line for each place: Cedar repeats itself for every action that a group stands for.
    const lines = new Map<string, string>();
    for (const { policyId, error } of problems) {
      const policy = policies.get(policyId);
      const { where, message } = policy
        ? policy.source.describe(error, policy.offset, actionTable)
        : { where: policyId, message: error.message };
      const group = policy && groupNamedAsAction(actionTable, policy.json.action);
      const advice = group === undefined ? '' : `; ${JSON.stringify(group)} is a group of actions: write \`action in\``;
      if (!lines.has(where)) lines.set(where, `${where}: ${message}${message.endsWith('`action in`') ? '' : advice}`);
    }
    throw invalid([...lines.values()].slice(0, 10).join('\n'));
  }
  if (answer.otherWarnings.length > 0) throw invalid(answer.otherWarnings.map(({ message }) => message).join('\n'));
}

function nameOf({ json }: Pick<LoadedPolicy, 'json'>): string | undefined {
  return json.annotations?.['id'] ?? undefined;
}

/** One file's text with byte offsets, which is how Cedar counts. */
class Source {
  readonly #file: PolicyFile;

  constructor(file: PolicyFile) {
    this.#file = file;
  }

  where(offset: number): string {
    const before = this.#file.bytes.subarray(0, offset).toString('utf8');
    const line = before.split('\n').length;
    return `${this.#file.path}:${line}:${before.length - before.lastIndexOf('\n')}`;
  }

  /** @param offset where its text begins */
  policy(text: string, json: PolicyJson, offset: number): LoadedPolicy {
    const { pack, path } = this.#file;
    return { id: `${pack}/${nameOf({ json })}`, text, json, file: path, line: lineOf(this.where(offset)) };
  }

  *parts(cedar: Cedar): Generator<Placed> {
    const { bytes, path } = this.#file;
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw invalid(`${path}: not UTF-8 text`);
    }
    const answer = cedar.policySetTextToParts(text);
    if (answer.type === 'failure')
      throw invalid(
        answer.errors.map((error) => Object.values(this.describe(error, 0)).join(': ')).join('\n') || `${path}: does not parse`,
      );
    const template = answer.policy_templates[0];
    if (template !== undefined) throw invalid(`${this.where(bytes.indexOf(template))}: templates (?principal, ?resource) are not accepted`);
    const used = new Set<number>();
    for (const part of answer.policies) {
      let offset = bytes.indexOf(part);
      while (used.has(offset)) offset = bytes.indexOf(part, offset + 1);
      used.add(offset);
      const parsed = cedar.policyToJson(part);
      if (parsed.type === 'failure') throw invalid(`${this.where(offset)}: ${parsed.errors[0]?.message ?? 'does not parse'}`);
      const name = nameOf(parsed);
      if (name === undefined || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
        throw invalid(`${this.where(offset)}: a policy needs @id("name"), of letters, digits and . _ -`);
      }
      const fault = annotationFault(parsed.json);
      if (fault) throw invalid(`${this.where(offset + placeOf(fault.name, part))}: ${fault.message}`);
      yield { ...this.policy(part, parsed.json, offset), source: this, offset };
    }
  }

  /** An error of Cedar's with its place; `offset` is where the text that Cedar saw begins in this file. */
  describe(error: DetailedError, offset: number, actions?: ActionTable): { readonly where: string; readonly message: string } {
    const { start = 0, end = 0 } = error.sourceLocations?.[0] ?? {};
    const excerpt = this.#file.bytes.subarray(offset + start, offset + end).toString('utf8');
    const message = error.message
      .replace(/^for policy `[^`]*`[,:] /, '')
      .replace(/^failed to parse policy with id `[^`]*` from string: /, '');
    return { where: this.where(offset + start), message: `${message}${suggestion(excerpt, error.help, actions)}` };
  }
}

/** Where an annotation stands in the text of a policy, in bytes. */
function placeOf(annotation: string, text: string): number {
  return Buffer.byteLength(text.slice(0, Math.max(0, text.search(new RegExp(`@\\s*${annotation}\\b`)))));
}

function lineOf(where: string): number {
  return Number(where.split(':').at(-2));
}

/** Cedar's own advice, except where its vocabulary is ours: the words of an enumeration and the names of actions. */
function suggestion(excerpt: string, help: string | null, actions: ActionTable | undefined): string {
  const named = new RegExp(`^${namespace}::(\\w+)::"([^"]*)"$`).exec(excerpt);
  const words = named && (named[1] === 'Action' ? [...(actions?.groupsOf.keys() ?? [])] : actions?.words.get(named[1] ?? ''));
  if (named && words && !words.includes(named[2] ?? '')) {
    const meant = nearest(named[2] ?? '', words);
    return meant ? `; did you mean "${meant}"?` : `; there are ${words.join(', ')}`;
  }
  const meant = /^did you mean `(.*)`\?$/.exec(help ?? '')?.[1];
  if (meant !== undefined) return `; did you mean "${meant}"?`;
  if (named?.[1] === 'Action') return '; a group of actions is written `action in`';
  return help ? `; ${help.replace(/for policy `[^`]*`[,:] /g, '')}` : '';
}
