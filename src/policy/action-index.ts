// Which concrete actions a policy is about, by its scope: groups are resolved once.
import type { ActionConstraint } from '@cedar-policy/cedar-wasm/nodejs';
import { assertNever } from '../core/index.ts';
import { actions, words } from './schema.ts';

export interface ActionTable {
  /** Every action, groups included, with all groups that it is in, itself first. */
  readonly groupsOf: ReadonlyMap<string, readonly string[]>;
  /** Actions that a request can have. */
  readonly concrete: readonly string[];
  /** Words of each enumerated entity type, for "did you mean". */
  readonly words: ReadonlyMap<string, readonly string[]>;
}

/** Worked out from what the schema is written from: asking Cedar for it takes as long as validating every policy. */
export const actionTable: ActionTable = {
  groupsOf: new Map(Object.keys(actions).map((action) => [action, closure(action)])),
  concrete: Object.keys(actions).filter((action) => actions[action]?.about !== undefined),
  words: new Map(Object.entries(words)),
};

function closure(action: string): readonly string[] {
  return [...new Set([action, ...(actions[action]?.in ?? []).flatMap(closure)])];
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

/** The group that a policy names as if it were one action: no request has it, so such a policy never applies. */
export function groupNamedAsAction(table: ActionTable, constraint: ActionConstraint): string | undefined {
  if (constraint.op !== '==' || !('entity' in constraint)) return undefined;
  const named = idOf(constraint.entity);
  return table.groupsOf.has(named) && !table.concrete.includes(named) ? named : undefined;
}

function idOf(entity: { readonly id: string } | { readonly __entity: { readonly id: string } }): string {
  return 'id' in entity ? entity.id : entity.__entity.id;
}
