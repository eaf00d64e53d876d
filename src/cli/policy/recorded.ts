// A decision of the ledger as the request that it was, as far as an entry tells: an entry holds no payload, and what it does not
// hold (the tool's standing, the candidates, the grant) is taken from the configuration of today.
import { type Config, matchWildcard, targetsFor } from '../../config/index.ts';
import { type Dialect, dialects, type Entry, IntramurError, ownRules, type Principal, vettings } from '../../core/index.ts';
import type { RequestDocument } from '../../policy/index.ts';

/** Whether an entry records what policy decided on an act of an agent. */
export function isAct(entry: Entry): boolean {
  const { action, decision, outcomeOf } = entry;
  if (outcomeOf !== undefined || ruleOf(entry) !== undefined) return false;
  return decision !== undefined && ['llm.invoke', 'http.request', 'net.connect', 'process.exec', 'secret.use'].includes(action);
}

/** Of a refusal: the rule of an enforcement point that made it, where policy was not asked or was not the last word. */
export function ruleOf({ policies = [], reason = '' }: Entry): string | undefined {
  const named = policies.find((policy) => ownRules.some((rule) => rule === policy));
  // A fault is named by its code at the end.
  return named ?? (policies.length === 0 && /\([A-Z]+_[A-Z_]+\)$/.test(reason) ? 'fail-closed' : undefined);
}

export function requestFrom(entry: Entry, config: Config): RequestDocument {
  const { decision, session = '', user = '', agent = '', classification = 'public' } = entry;
  if (decision === undefined) throw new IntramurError('USAGE', `entry ${entry.index} records no decision but ${entry.action}`);
  const principal: Principal = {
    session,
    user,
    agent,
    vetting: vettings.find((known) => known === entry.detail?.['vetting']) ?? config.tools[agent]?.status ?? 'unvetted',
    purpose: entry.purpose ?? config.defaultPurpose,
    classification,
    via: 'sandbox',
  };
  return {
    request: { principal, act: actFrom(entry, config) },
    facts: { labels: entry.labels ?? [], classification, now: new Date(entry.time) },
  };
}

function actFrom(entry: Entry, config: Config): RequestDocument['request']['act'] {
  const { action, host = '', port = 0, method = 'GET', path = '/', requestedModel = '', detail = {} } = entry;
  const place = {
    class: entry.class ?? 'other',
    host,
    port,
    isDirect: detail['isDirect'] === true,
    isGranted:
      detail['isGranted'] === true ||
      entry.policies?.includes('baseline/granted') === true ||
      config.egress.allow.some((grant) => matchWildcard(grant.host, host) && grant.ports.includes(port)),
  } as const;
  switch (action) {
    case 'llm.invoke': {
      const dialect = dialects.find((known) => known === detail['dialect']) ?? dialectOf(path);
      return {
        action,
        class: 'model',
        host,
        port,
        dialect,
        method,
        path,
        requestedModel,
        targets: targetsFor(config, requestedModel, dialect),
      };
    }
    case 'http.request':
      return {
        action,
        ...place,
        scheme: detail['scheme'] === 'http' ? 'http' : 'https',
        method,
        path,
        ...(detail['isRenewal'] === true ? { isRenewal: true } : {}),
        ...(detail['servesModels'] === true ? { servesModels: true } : {}),
      };
    case 'net.connect':
      return { action, ...place, protocol: (['ssh', 'dns', 'udp', 'tls'] as const).find((known) => known === detail['protocol']) ?? 'tcp' };
    case 'process.exec': {
      const { realPath = path, argv = [], cwd = '/' } = detail;
      return { action, path, realPath: String(realPath), argv: Array.isArray(argv) ? argv : [], cwd: String(cwd) };
    }
    case 'secret.use':
      return { action, name: String(detail['name']), use: 'sign', what: String(detail['what']), isGranted: detail['isGranted'] === true };
    default:
      throw new IntramurError('USAGE', `entry ${entry.index} is no act of an agent but ${action}`);
  }
}

function dialectOf(path: string): Dialect {
  if (path.includes('/messages')) return 'anthropic-messages';
  if (path.includes('/responses')) return 'openai-responses';
  return path.includes('/models/') ? 'gemini' : 'openai-chat';
}
