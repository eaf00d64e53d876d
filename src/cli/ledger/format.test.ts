// One full entry and one hostile one in each export format, as whole lines.
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../core/index.ts';
import { cefLine } from './format-cef.ts';
import { ocsfLine } from './format-ocsf.ts';
import { otlpLine } from './format-otlp.ts';

const entry: Entry = {
  index: 7,
  time: '2026-01-02T03:04:05.678Z',
  action: 'llm.invoke',
  session: 's1',
  user: 'alice',
  agent: 'codex',
  purpose: 'research',
  class: 'model',
  host: 'api.vendor.example',
  port: 443,
  method: 'POST',
  path: '/v1/responses',
  requestedModel: 'm4',
  provider: 'vendor',
  perimeter: 'public',
  labels: ['secret'],
  decision: 'deny',
  reason: 'a secret may not leave',
  policies: ['perimeter.secret'],
  bytesOut: 10,
};

it('CEF', () => {
  expect(cefLine(entry)).toMatch(
    /^CEF:0\|Intramur\|intramur\|[\d.]+\|llm\.invoke\|llm\.invoke refused\|8\|rt=1767323045678 externalId=7 act=deny cat=model suser=alice dhost=api\.vendor\.example dpt=443 requestMethod=POST request=\/v1\/responses out=10 reason=a secret may not leave cs1Label=agent cs1=codex cs2Label=session cs2=s1 cs3Label=policies cs3=perimeter\.secret cs4Label=labels cs4=secret cs5Label=provider cs5=vendor \(public\) cs6Label=requestedModel cs6=m4$/,
  );
});

it('OCSF', () => {
  expect(JSON.parse(ocsfLine(entry))).toMatchObject({
    class_uid: 6003,
    type_uid: 600399,
    category_uid: 6,
    time: 1767323045678,
    action_id: 2,
    disposition_id: 2,
    status_id: 2,
    metadata: { uid: '7', sequence: 7, product: { name: 'Intramur' } },
    actor: { app_name: 'codex', user: { name: 'alice' }, session: { uid: 's1' } },
    api: { operation: 'POST /v1/responses', service: { name: 'vendor' } },
    dst_endpoint: { hostname: 'api.vendor.example', port: 443 },
    policy: { uid: 'perimeter.secret' },
    unmapped: { labels: ['secret'], perimeter: 'public', requestedModel: 'm4' },
  });
});

it.each<[Entry['action'], Partial<Entry>, number]>([
  ['http.request', { method: 'GET' }, 400203],
  ['http.request', { method: 'PROPFIND' }, 400299],
  ['net.connect', {}, 400101],
  ['net.connect', { decision: 'deny' }, 400105],
  ['session.open', {}, 600203],
  ['daemon.reload', {}, 600208],
  ['daemon.stop', {}, 600204],
])('OCSF type of %s %j is %i', (action, more, type) => {
  expect(JSON.parse(ocsfLine({ index: 0, time: entry.time, action, ...more })).type_uid).toBe(type);
});

it('OTLP', () => {
  const { resourceLogs } = JSON.parse(otlpLine(entry));
  const [record] = resourceLogs[0].scopeLogs[0].logRecords;
  expect(record).toMatchObject({ timeUnixNano: '1767323045678000000', severityNumber: 13, eventName: 'intramur.llm.invoke' });
  expect(record.attributes).toContainEqual({ key: 'intramur.ledger.index', value: { intValue: '7' } });
  expect(record.attributes).toContainEqual({ key: 'gen_ai.request.model', value: { stringValue: 'm4' } });
  expect(record.attributes).toContainEqual({ key: 'intramur.labels', value: { arrayValue: { values: [{ stringValue: 'secret' }] } } });
});

describe('an entry that tries to be two', () => {
  const hostile: Entry = { ...entry, agent: 'x|y\\z', reason: 'a=b|c\\d\nCEF:0|forged|', host: 'h\r\nact=allow' };

  it.each([
    ['CEF', cefLine],
    ['OCSF', ocsfLine],
    ['OTLP', otlpLine],
  ])('stays one line of %s', (_name, line) => {
    expect(line(hostile)).not.toMatch(/[\r\n]/);
  });

  it('cannot add a field to CEF', () => {
    expect(cefLine(hostile)).toContain(String.raw`reason=a\=b|c\\d\nCEF:0|forged|`);
    expect(cefLine(hostile)).toContain(String.raw`dhost=h\r\nact\=allow`);
  });
});
