// What a person could do about a refusal by default, as data: an agent can show it or pass it on, and cannot do it itself. Narrow on
// purpose: this host and this port, this key, and nothing like them.
import { type Act, type Decision, product, type Request } from '../core/index.ts';

/** What a proposal would open. */
export type Grant =
  | { readonly kind: 'host'; readonly host: string; readonly port: number }
  | { readonly kind: 'key'; readonly name: string };

export interface NextStep {
  /** Id of the proposal that waits for a person, for the rest of this session. */
  readonly approval?: string;
  readonly grant: Grant;
  /** For one session, from its start. */
  readonly option?: string;
  /** For every session: a line of the user's configuration, or a policy for review. */
  readonly config: string;
  readonly policy: string;
}

/**
 * What would have to be granted; `undefined` when a policy forbids the act or nothing narrow can be said: a grant does not open what a rule
 * closes, and a dialled address says nothing of who is there.
 */
export function missingGrant({ act }: Request, decision: Decision): Grant | undefined {
  if (decision.effect !== 'deny' || decision.reason.code !== 'POLICY' || decision.policies.length > 0) return undefined;
  if (!decision.reason.text.includes('default deny')) return undefined;
  if (act.action === 'secret.use') return { kind: 'key', name: act.name };
  if ((act.action === 'http.request' || act.action === 'net.connect') && isPlainName(act))
    return { kind: 'host', host: act.host, port: act.port };
  return undefined;
}

/** INVARIANT: a name from inside stands in commands and policies only when it is nothing but a name. */
function isPlainName(act: Extract<Act, { isDirect: boolean }>): boolean {
  return !act.isDirect && /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/.test(act.host) && act.port > 0;
}

export function nextStep(grant: Grant, { act }: Request, approval: string | undefined): NextStep {
  const waiting = approval === undefined ? {} : { approval };
  if (grant.kind === 'key') {
    const [, kind = '', key = ''] = /^(ssh|gpg):(SHA256:[A-Za-z0-9+/]{43}|[0-9A-F]{40})$/.exec(grant.name) ?? [];
    return {
      ...waiting,
      grant,
      config: `signing: { ${kind}: ["${key}"] }`,
      policy: `permit(principal, action == ${ns}Action::"secret.use", resource == ${ns}Secret::"${kind}:${key}");`,
    };
  }
  const { host, port } = grant;
  const action = 'class' in act ? `egress.${act.class}` : 'net';
  return {
    ...waiting,
    grant,
    option: `${product.name} run --allow ${host}:${port}`,
    config: `egress: { allow: [{ host: ${host}, ports: [${port}] }] }`,
    policy: `permit(principal, action in ${ns}Action::"${action}", resource == ${ns}Host::"${host}") when { resource.port == ${port} };`,
  };
}

const ns = 'Intramur::';
