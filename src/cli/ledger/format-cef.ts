// An entry as one line of ArcSight Common Event Format, version 0, for syslog-shaped systems.
import { type Entry, product, version } from '../../core/index.ts';

export function cefLine(entry: Entry): string {
  const { index, time, action, decision, labels, policies } = entry;
  const head = ['CEF:0', product.title, product.name, version, action, nameOf(entry), String(severityOf(entry))].map((part, i) =>
    i === 0 ? part : escapeHead(part),
  );
  const fields: [string, string | number | undefined][] = [
    ['rt', Date.parse(time)],
    ['externalId', index],
    ['act', decision],
    ['cat', entry.class],
    ['suser', entry.user],
    ['dhost', entry.host],
    ['dpt', entry.port],
    ['requestMethod', entry.method],
    ['request', entry.path],
    ['out', entry.bytesOut],
    ['in', entry.bytesIn],
    ['reason', entry.reason],
    ['outcome', entry.status],
    ...custom('cs1', 'agent', entry.agent),
    ...custom('cs2', 'session', entry.session),
    ...custom('cs3', 'policies', policies?.join(' ')),
    ...custom('cs4', 'labels', labels?.join(' ')),
    ...custom('cs5', 'provider', entry.provider && `${entry.provider} (${entry.perimeter ?? 'unknown'})`),
    ...custom('cs6', 'requestedModel', entry.requestedModel),
    ...custom('cn1', 'outcomeOf', entry.outcomeOf),
  ];
  const extension = fields.flatMap(([key, value]) => (value === undefined || value === '' ? [] : [`${key}=${escapeValue(String(value))}`]));
  return `${head.join('|')}|${extension.join(' ')}`;
}

/** 0 to 10: a refusal is worth a look, a refusal that holds a secret more than that. */
function severityOf({ decision, labels }: Entry): number {
  if (decision !== 'deny') return labels?.includes('secret') ? 5 : 2;
  return labels?.includes('secret') ? 8 : 6;
}

function nameOf({ action, decision, outcomeOf }: Entry): string {
  if (outcomeOf !== undefined) return `outcome of ${action}`;
  return decision === undefined ? action : `${action} ${decision === 'deny' ? 'refused' : 'allowed'}`;
}

function custom(key: string, label: string, value: string | number | undefined): [string, string | number | undefined][] {
  return value === undefined
    ? []
    : [
        [`${key}Label`, label],
        [key, value],
      ];
}

function escapeHead(text: string): string {
  return text.replaceAll(/[\\|]/g, String.raw`\$&`).replaceAll(/[\r\n]+/g, ' ');
}

function escapeValue(text: string): string {
  return text.replaceAll(/[\\=]/g, String.raw`\$&`).replaceAll('\r', String.raw`\r`).replaceAll('\n', String.raw`\n`);
}
