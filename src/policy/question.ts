// A request as the question that Cedar answers: principal, action, resource, context and the few entities they need.
// INVARIANT: only this request's slice of entities is in it, and every entity that an attribute names is there.
import { isIP } from 'node:net';
import {
  type Act,
  assertNever,
  type Classification,
  canonicalHost,
  classificationRank,
  classifications,
  dialects,
  type HttpRequest,
  IntramurError,
  type Label,
  type LlmInvoke,
  labels,
  type NetConnect,
  type Principal,
  type ProcessExec,
  perimeterRank,
  perimeters,
  purposes,
  type Request,
  type SecretUse,
  type Target,
  vettings,
} from '../core/index.ts';
import { namespace, protocols, vias } from './schema.ts';
import { EntityUid, Instant, parseIp, RecordValue, type Value } from './value.ts';

export interface Facts {
  readonly labels: readonly Label[];
  /** The higher of the payload's class and of what the session has read before. */
  readonly classification: Classification;
  readonly now: Date;
}

export interface EntityData {
  readonly uid: EntityUid;
  readonly attrs: Readonly<Record<string, Value>>;
  /** All ancestors, not only the nearest. */
  readonly ancestors: readonly EntityUid[];
}

export interface Question {
  readonly principal: EntityUid;
  /** Id of a concrete action, e.g. `http.request.telemetry`. */
  readonly action: string;
  readonly resource: EntityUid;
  readonly context: RecordValue;
  readonly entities: readonly EntityData[];
}

export const uid = (type: string, id: string) => new EntityUid(`${namespace}::${type}`, id);

/** The words of an enumeration. cedar-wasm checks them; the compiled form relies on it being done here, for ranks above all. */
function wordsOf<T extends string>(type: string, words: readonly T[]): (value: T) => EntityUid {
  const known = new Map<string, EntityUid>(words.map((word) => [word, uid(type, word)]));
  return (value) => {
    const found = known.get(value);
    if (!found) throw new IntramurError('POLICY_EVALUATION', `a request with an unknown ${type}`);
    return found;
  };
}

const words = {
  dialect: wordsOf('Dialect', dialects),
  perimeter: wordsOf('Perimeter', perimeters),
  purpose: wordsOf('Purpose', purposes),
  label: wordsOf('Label', labels),
  classification: wordsOf('Classification', classifications),
  protocol: wordsOf('Protocol', protocols),
  vetting: wordsOf('Vetting', vettings),
  via: wordsOf('Via', vias),
} as const;

/** What follows from a principal or a target alone, worked out once for as long as that object lives: they never change, decisions may. */
function once<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const found = known.get(key) ?? make(key);
    known.set(key, found);
    return found;
  };
}

/** The question of a request that is not a model call. */
export function questionOf({ principal, act }: Request & { readonly act: Exclude<Act, LlmInvoke> }, facts: Facts): Question {
  if (act.action === 'process.exec') return startQuestion(principal, act, facts);
  if (act.action === 'secret.use') return secretQuestion(principal, act, facts);
  const host = hostEntity(act);
  return {
    principal: agentEntities(principal)[0].uid,
    action: `${act.action}.${act.class}`,
    resource: host.uid,
    context: contextOf(principal, facts, transportOf(act)),
    entities: [...agentEntities(principal), host, ...host.ancestors.map(bare)],
  };
}

/** The longest part of an argument list that policy is told of, characters. */
const maxArgv = 16_384;

/**
 * A program is known by the path it was called by and by the one that its links lead to, and by the last names of both, so that a rule
 * says `resource in Intramur::Program::"curl"`.
 */
function startQuestion(principal: Principal, act: ProcessExec, facts: Facts): Question {
  const [called, real] = [act.path.toWellFormed(), act.realPath.toWellFormed()];
  const names = [real, lastName(called), lastName(real)].filter((name) => name !== called);
  const program: EntityData = {
    uid: uid('Program', called),
    attrs: { name: lastName(called), path: called },
    ancestors: [...new Set(names)].map((name) => uid('Program', name)),
  };
  return {
    principal: uid('Agent', principal.session),
    action: act.action,
    resource: program.uid,
    context: contextOf(principal, facts, {
      argv: act.argv.join(' ').slice(0, maxArgv).toWellFormed(),
      verbs: verbsOf(act.argv),
      cwd: act.cwd.toWellFormed(),
    }),
    entities: [...agentEntities(principal), program, ...program.ancestors.map(programEntity)],
  };
}

/** Arguments that look like the words of a command (`push` in `git push origin`): those that are one word and no option. */
function verbsOf([, ...args]: readonly string[]): string[] {
  return [...new Set(args.filter((arg) => /^[a-z][a-z0-9_-]{0,63}$/i.test(arg)))].slice(0, 64);
}

/** The attribute that a program must have, for one that stands for a name only. */
function programEntity(entity: EntityUid): EntityData {
  return { uid: entity, attrs: { name: lastName(entity.id) }, ancestors: [] };
}

function lastName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}

function secretQuestion(principal: Principal, { action, name, isGranted }: SecretUse, facts: Facts): Question {
  const secret: EntityData = { uid: uid('Secret', name), attrs: { name, isGranted }, ancestors: [] };
  return {
    principal: uid('Agent', principal.session),
    action,
    resource: secret.uid,
    context: contextOf(principal, facts, {}),
    entities: [...agentEntities(principal), secret],
  };
}

/** The question whether a model call may go to one of its candidates. */
export function modelQuestionOf(principal: Principal, act: LlmInvoke, target: Target, facts: Facts): Question {
  const resource = modelEntities(target);
  return {
    principal: agentEntities(principal)[0].uid,
    action: act.action,
    resource: resource[0].uid,
    context: contextOf(principal, facts, {
      dialect: words.dialect(act.dialect),
      requestedModel: act.requestedModel.toWellFormed(),
    }),
    entities: [...agentEntities(principal), ...resource],
  };
}

const modelEntities = once((target: Target): readonly [EntityData, EntityData] => {
  const provider = uid('Provider', target.provider);
  const model: EntityData = {
    uid: uid('Model', `${target.provider}/${target.model}`),
    attrs: {
      name: target.model.toWellFormed(),
      provider,
      dialect: words.dialect(target.dialect),
      perimeter: words.perimeter(target.perimeter),
      perimeterRank: perimeterRank(target.perimeter),
      vetted: target.vetted,
    },
    ancestors: [provider],
  };
  return [model, bare(provider)];
});

function contextOf({ purpose, session }: Principal, facts: Facts, own: Readonly<Record<string, Value>>): RecordValue {
  return new RecordValue({
    purpose: words.purpose(purpose),
    session: session.toWellFormed(),
    now: instantOf(facts.now),
    labels: facts.labels.map((label) => words.label(label)),
    classification: words.classification(facts.classification),
    dataRank: classificationRank(facts.classification),
    ...own,
  });
}

function instantOf(now: Date): Instant {
  const ms = now.getTime();
  if (Number.isNaN(ms)) throw new IntramurError('POLICY_EVALUATION', 'the clock is broken');
  return new Instant(ms);
}

function transportOf(act: HttpRequest | NetConnect): Readonly<Record<string, Value>> {
  switch (act.action) {
    case 'http.request':
      return {
        method: act.method.toWellFormed(),
        path: act.path.toWellFormed(),
        tls: act.scheme === 'https',
        isRenewal: act.isRenewal === true,
        servesModels: act.servesModels === true,
      };
    case 'net.connect':
      return { protocol: words.protocol(act.protocol) };
    default:
      return assertNever(act);
  }
}

const agentEntities = once((principal: Principal): readonly [EntityData, ...EntityData[]] => {
  const user = uid('User', principal.user);
  const tool = uid('AgentTool', principal.agent);
  const teams = principal.team === undefined ? [] : [uid('Team', principal.team)];
  const agent: EntityData = {
    uid: uid('Agent', principal.session),
    attrs: {
      user,
      tool,
      ...(principal.agentVersion === undefined ? {} : { version: principal.agentVersion.toWellFormed() }),
      vetting: words.vetting(principal.vetting),
      vetted: principal.vetting === 'vetted',
      via: words.via(principal.via),
    },
    ancestors: [user, tool, ...teams],
  };
  return [agent, { uid: user, attrs: {}, ancestors: teams }, bare(tool), ...teams.map(bare)];
});

/** A host lies in the zone of every suffix of its name, so that a rule says `resource in Intramur::Zone::"acme.example"`. */
function hostEntity({ host, port, isDirect, isGranted }: HttpRequest | NetConnect): EntityData {
  // What is no host name keeps its spelling: no rule that permits knows it, and the refusal can show it.
  const name = canonicalHost(host) ?? host.toLowerCase().toWellFormed();
  const ip = isIP(name) === 0 ? undefined : parseIp(name);
  const suffixes = ip ? [] : name.split('.');
  return {
    uid: uid('Host', name),
    attrs: { name, port, ...(ip ? { ip } : {}), isDirect: isDirect || ip !== undefined, isGranted },
    ancestors: suffixes.slice(0, 32).map((_, i) => uid('Zone', suffixes.slice(i).join('.'))),
  };
}

function bare(entity: EntityUid): EntityData {
  return { uid: entity, attrs: {}, ancestors: [] };
}
