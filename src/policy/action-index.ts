// Which concrete actions a policy is about, by its scope: groups are resolved once, from Cedar's own reading of the schema.
import type { ActionConstraint } from '@cedar-policy/cedar-wasm/nodejs';
import { assertNever, IntramurError } from '../core/index.ts';
import type { Cedar } from './evaluate.ts';
import { namespace, schema } from './schema.ts';

export interface ActionTable {
  /** Every action, groups included, with all groups that it is in, itself first. */
  readonly groupsOf: ReadonlyMap<string, readonly string[]>;
  /** Actions that a request can have. */
  readonly concrete: readonly string[];
  /** Words of each enumerated entity type, for "did you mean". */
  readonly words: ReadonlyMap<string, readonly string[]>;
}

export function readActionTable(cedar: Cedar): ActionTable {
  const answer = cedar.schemaToJson(schema);
  const definition = answer.type === 'success' ? answer.json[namespace] : undefined;
  if (!definition) throw new IntramurError('INTERNAL', 'the schema of policies does not parse');
  const parents = (action: string): string[] => definition.actions[action]?.memberOf?.map(({ id }) => id) ?? [];
  const closure = (action: string): string[] => [...new Set([action, ...parents(action).flatMap(closure)])];
  const actions = Object.keys(definition.actions);
  return {
    groupsOf: new Map(actions.map((action) => [action, closure(action)])),
    concrete: actions.filter((action) => (definition.actions[action]?.appliesTo?.resourceTypes.length ?? 0) > 0),
    words: new Map(Object.entries(definition.entityTypes).flatMap(([name, type]) => ('enum' in type ? [[name, type.enum] as const] : []))),
  };
}

/** The concrete actions that satisfy the scope of a policy. */
export function actionsOf(table: ActionTable, constraint: ActionConstraint): readonly string[] {
  const named = (wanted: readonly string[], isIn: boolean) =>
    table.concrete.filter((action) => (isIn ? (table.groupsOf.get(action) ?? []) : [action]).some((group) => wanted.includes(group)));
  switch (constraint.op) {
    case 'All':
      return table.concrete;
    case '==':
      return 'entity' in constraint ? named([idOf(constraint.entity)], false) : [];
    case 'in':
      return named('entities' in constraint ? constraint.entities.map(idOf) : [idOf(constraint.entity)], true);
    default:
      return assertNever(constraint);
  }
}

function idOf(entity: { readonly id: string } | { readonly __entity: { readonly id: string } }): string {
  return 'id' in entity ? entity.id : entity.__entity.id;
}
