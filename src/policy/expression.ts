// Expressions of Cedar's JSON policy format (docs.cedarpolicy.com, "JSON policy format") as closures. Evaluation order, short
// circuits and errors are Cedar's: a policy that fails is reported, never taken as false.
import type { CedarValueJson, EntityUidJson, Expr } from '@cedar-policy/cedar-wasm/nodejs';
import { matchLike } from './like.ts';
import type { EntityData } from './question.ts';
import {
  contains,
  Duration,
  EntityUid,
  fieldOf,
  Instant,
  Ip,
  isEqual,
  isSet,
  parseDuration,
  parseInstant,
  parseIp,
  RecordValue,
  type Value,
} from './value.ts';

export interface Environment {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: RecordValue;
  readonly entities: ReadonlyMap<string, EntityData>;
}

/** A policy that cannot be evaluated for this request; Cedar would report it in its diagnostics. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

/** Something that only cedar-wasm evaluates. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

type Evaluate = (env: Environment) => Value;

export function entityOf(json: EntityUidJson): EntityUid {
  const { type, id } = '__entity' in json ? json.__entity : json;
  return new EntityUid(type, id);
}

export function isDescendant(env: Environment, entity: EntityUid, ancestor: EntityUid): boolean {
  if (entity.key === ancestor.key) return true;
  return env.entities.get(entity.key)?.ancestors.some(({ key }) => key === ancestor.key) ?? false;
}

export function compileExpression(expression: Expr): Evaluate {
  const [operator, operand] = Object.entries(expression)[0] ?? [];
  const known = operator !== undefined && Object.hasOwn(operators, operator) ? operators[operator] : undefined;
  if (!known || Object.keys(expression).length !== 1) throw new Unsupported(`operator ${operator}`);
  return known(operand);
}

/** The operand of each operator has its own shape; these say which, and what has another is left to cedar-wasm. */
type Operand = Readonly<Record<string, unknown>>;

function operandOf(operand: unknown): Operand {
  if (typeof operand !== 'object' || operand === null) throw new Unsupported('an operand of this form');
  return { ...operand };
}

function isExpression(value: unknown): value is Expr {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sub(operand: Operand, name: string): Evaluate {
  const value = operand[name];
  if (!isExpression(value)) throw new Unsupported(`an expression without ${name}`);
  return compileExpression(value);
}

const unary =
  (apply: (arg: Value) => Value) =>
  (operand: unknown): Evaluate => {
    const arg = sub(operandOf(operand), 'arg');
    return (env) => apply(arg(env));
  };

const binary =
  (apply: (left: Value, right: Value, env: Environment) => Value) =>
  (operand: unknown): Evaluate => {
    const left = sub(operandOf(operand), 'left');
    const right = sub(operandOf(operand), 'right');
    return (env) => apply(left(env), right(env), env);
  };

const call =
  (count: number, apply: (args: readonly Value[]) => Value) =>
  (operand: unknown): Evaluate => {
    const args = Array.isArray(operand) ? operand.map((arg: unknown) => (isExpression(arg) ? compileExpression(arg) : undefined)) : [];
    if (args.length !== count) throw new Unsupported('a call of this form');
    return (env) => apply(args.map((arg) => arg?.(env) ?? fail('a call without argument')));
  };

/** An extension value from its literal text; strict validation admits nothing else. */
const literal =
  (parse: (text: string) => Value | undefined) =>
  (operand: unknown): Evaluate => {
    const text: unknown = Array.isArray(operand) && operand.length === 1 ? operandOf(operand[0])['Value'] : undefined;
    const value = typeof text === 'string' ? parse(text) : undefined;
    if (value === undefined) throw new Unsupported('an extension value of this form');
    return () => value;
  };

const operators: Readonly<Record<string, (operand: unknown) => Evaluate>> = {
  Value: (operand) => {
    const value = constant(operand);
    return () => value;
  },
  Var: (operand) => {
    if (operand !== 'principal' && operand !== 'action' && operand !== 'resource' && operand !== 'context')
      throw new Unsupported('a variable');
    return (env) => env[operand];
  },
  '!': unary((arg) => !truth(arg)),
  '==': binary(isEqual),
  '!=': binary((left, right) => !isEqual(left, right)),
  '<': binary((left, right) => compare(left, right) < 0),
  '<=': binary((left, right) => compare(left, right) <= 0),
  '>': binary((left, right) => compare(left, right) > 0),
  '>=': binary((left, right) => compare(left, right) >= 0),
  '&&': (operand) => {
    const [left, right] = [sub(operandOf(operand), 'left'), sub(operandOf(operand), 'right')];
    return (env) => truth(left(env)) && truth(right(env));
  },
  '||': (operand) => {
    const [left, right] = [sub(operandOf(operand), 'left'), sub(operandOf(operand), 'right')];
    return (env) => truth(left(env)) || truth(right(env));
  },
  'if-then-else': (operand) => {
    const parts = operandOf(operand);
    const [test, yes, no] = [sub(parts, 'if'), sub(parts, 'then'), sub(parts, 'else')];
    return (env) => (truth(test(env)) ? yes(env) : no(env));
  },
  in: binary((left, right, env) => {
    const entity = asEntity(left);
    if (right instanceof EntityUid) return isDescendant(env, entity, right);
    return asSet(right)
      .map(asEntity)
      .some((ancestor) => isDescendant(env, entity, ancestor));
  }),
  is: (operand) => {
    const parts = operandOf(operand);
    const left = sub(parts, 'left');
    const type = parts['entity_type'];
    const within = parts['in'] === undefined ? undefined : sub(parts, 'in');
    return (env) => {
      const entity = asEntity(left(env));
      if (entity.type !== type) return false;
      if (!within) return true;
      const ancestors = within(env);
      return (isSet(ancestors) ? ancestors.map(asEntity) : [asEntity(ancestors)]).some((ancestor) => isDescendant(env, entity, ancestor));
    };
  },
  contains: binary((set, value) => contains(asSet(set), value)),
  containsAll: binary((set, values) => asSet(values).every((value) => contains(asSet(set), value))),
  containsAny: binary((set, values) => asSet(values).some((value) => contains(asSet(set), value))),
  isEmpty: unary((set) => asSet(set).length === 0),
  has: (operand) => {
    const parts = operandOf(operand);
    const left = sub(parts, 'left');
    const path: readonly unknown[] = Array.isArray(parts['attr']) ? parts['attr'] : [parts['attr']];
    const names = path.map((name) => (typeof name === 'string' ? name : unsupported('an attribute')));
    return (env) => {
      let value: Value | undefined = left(env);
      for (const name of names) {
        const attributes: Readonly<Record<string, Value>> = attributesOf(env, value) ?? {};
        value = fieldOf(attributes, name);
        if (value === undefined) return false;
      }
      return true;
    };
  },
  '.': (operand) => {
    const parts = operandOf(operand);
    const left = sub(parts, 'left');
    const { attr } = parts;
    if (typeof attr !== 'string') throw new Unsupported('an attribute');
    return (env) => fieldOf(attributesOf(env, left(env)) ?? {}, attr) ?? fail(`no attribute ${attr}`);
  },
  like: (operand) => {
    const parts = operandOf(operand);
    const left = sub(parts, 'left');
    const pattern: readonly unknown[] = Array.isArray(parts['pattern']) ? parts['pattern'] : unsupported('a pattern');
    const literals = [''];
    for (const element of pattern) {
      const text = element === 'Wildcard' ? undefined : operandOf(element)['Literal'];
      if (text === undefined) literals.push('');
      else literals.push((literals.pop() ?? '') + (typeof text === 'string' ? text : unsupported('a pattern')));
    }
    return (env) => matchLike(literals, asString(left(env)));
  },
  Set: (operand) => {
    const members = Array.isArray(operand)
      ? operand.map((member: unknown) => (isExpression(member) ? compileExpression(member) : unsupported('a set')))
      : unsupported('a set');
    return (env) => members.map((member) => member(env));
  },
  Record: (operand) => {
    const fields = Object.entries(operandOf(operand)).map(
      ([name, value]) => [name, isExpression(value) ? compileExpression(value) : unsupported('a record')] as const,
    );
    return (env) => new RecordValue(Object.fromEntries(fields.map(([name, value]) => [name, value(env)])));
  },
  ip: literal(parseIp),
  datetime: literal(parseInstant),
  duration: literal(parseDuration),
  isIpv4: call(1, ([ip]) => asIp(ip).version === 4),
  isIpv6: call(1, ([ip]) => asIp(ip).version === 6),
  isInRange: call(2, ([ip, range]) => asIp(ip).isInRange(asIp(range))),
  offset: call(2, ([instant, duration]) => shifted(instant, duration)),
};

function constant(json: unknown): Value {
  if (typeof json === 'boolean' || typeof json === 'string') return json;
  // A Long outside the safe range lost digits on its way through JSON.
  if (typeof json === 'number') return Number.isSafeInteger(json) ? json : unsupported('a large number');
  if (isEntityJson(json)) return entityOf(json);
  return unsupported('a constant');
}

function isEntityJson(json: unknown): json is Extract<CedarValueJson, { __entity: unknown }> & { __entity: { type: string; id: string } } {
  return typeof json === 'object' && json !== null && '__entity' in json;
}

function truth(value: Value): boolean {
  return typeof value === 'boolean' ? value : fail('not a boolean');
}

function compare(left: Value, right: Value): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (left instanceof Instant && right instanceof Instant) return left.ms - right.ms;
  if (left instanceof Duration && right instanceof Duration) return left.ms - right.ms;
  return fail('values that cannot be compared');
}

function shifted(instant: Value | undefined, duration: Value | undefined): Instant {
  if (!(instant instanceof Instant) || !(duration instanceof Duration)) return fail('not a datetime and a duration');
  const ms = instant.ms + duration.ms;
  return Number.isSafeInteger(ms) ? new Instant(ms) : fail('a datetime out of range');
}

function attributesOf(env: Environment, value: Value): Readonly<Record<string, Value>> | undefined {
  if (value instanceof RecordValue) return value.fields;
  return env.entities.get(asEntity(value).key)?.attrs;
}

function asEntity(value: Value): EntityUid {
  return value instanceof EntityUid ? value : fail('not an entity');
}

function asSet(value: Value): readonly Value[] {
  return isSet(value) ? value : fail('not a set');
}

function asString(value: Value): string {
  return typeof value === 'string' ? value : fail('not a string');
}

function asIp(value: Value | undefined): Ip {
  return value instanceof Ip ? value : fail('not an address');
}

function fail(message: string): never {
  throw new EvaluationError(message);
}

function unsupported(what: string): never {
  throw new Unsupported(what);
}
