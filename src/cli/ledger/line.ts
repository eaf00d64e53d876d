// One entry as people read it, and as `export --format jsonl` and `--json` write it.
import type { Entry } from '../../core/index.ts';

/** The JSONL form: every field of the contract in its order, `null` where it does not apply; then what else the entry holds. */
export function jsonLine(entry: Entry): string {
  const { index, time, session, agent, purpose, action, host, port, method, path, requestedModel, provider, perimeter } = entry;
  const { class: egressClass, labels, decision, reason, policies, bytesOut, bytesIn, outcomeOf, ...rest } = entry;
  const none = null;
  const line = {
    index,
    time,
    session: session ?? none,
    agent: agent ?? none,
    purpose: purpose ?? none,
    action,
    class: egressClass ?? none,
    host: host ?? none,
    port: port ?? none,
    method: method ?? none,
    path: path ?? none,
    requestedModel: requestedModel ?? none,
    provider: provider ?? none,
    perimeter: perimeter ?? none,
    labels: labels ?? [],
    decision: decision ?? none,
    reason: reason ?? none,
    policies: policies ?? [],
    bytesOut: bytesOut ?? none,
    bytesIn: bytesIn ?? none,
    ...(outcomeOf === undefined ? {} : { outcomeOf }),
  };
  return JSON.stringify({ ...line, ...rest, ...line });
}

/** One line for a terminal. INVARIANT: no control character of an entry reaches the terminal. */
export function textLine(entry: Entry): string {
  const place = entry.host === undefined ? '' : `${entry.host}${entry.port === undefined ? '' : `:${entry.port}`}`;
  const parts = [
    String(entry.index).padStart(6),
    entry.time,
    (entry.decision ?? (entry.outcomeOf === undefined ? '' : `→ ${entry.outcomeOf}`)).padEnd(5),
    entry.action.padEnd(13),
    [entry.class, entry.method, place + (entry.path ?? ''), entry.provider && `(${entry.provider}, ${entry.perimeter ?? 'unknown'})`],
    entry.action === 'process.exec' && argumentsOf(entry),
    entry.action === 'secret.use' && `${String(entry.detail?.['name'])} ${String(entry.detail?.['what'])}`,
    entry.labels?.length ? `[${entry.labels.join(' ')}]` : '',
    entry.session && `session ${entry.session}`,
    entry.agent,
    entry.reason && `- ${entry.reason}`,
  ];
  return visible(parts.flat().filter(Boolean).join(' '));
}

/** The arguments of a program after its own name, as far as a line has room. */
function argumentsOf({ detail }: Entry): string {
  const argv = detail?.['argv'];
  const text = Array.isArray(argv) ? argv.slice(1).join(' ') : '';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Control and formatting characters are written as escapes. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (found) => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`);
}
