// A session that has read something sensitive is sensitive from then on, whatever it sends next.
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Body, Classification, Report, Request } from '../core/index.ts';
import { createInspector } from '../inspect/index.ts';
import { createTaint, type Facts, type MonitorDeps, mediate } from './index.ts';

const clean: Report = { bytes: 0, classification: 'public', labels: [], findings: [], ms: 0 };
const target = { provider: 'p', model: 'm', dialect: 'anthropic-messages', perimeter: 'public', vetted: true } as const;
const request = (classification: Classification = 'internal', session = 's'): Request => ({
  principal: { session, user: 'u', agent: 'a', vetting: 'vetted', purpose: 'research', classification, workspace: '/w', via: 'sandbox' },
  act: {
    action: 'llm.invoke',
    class: 'model',
    dialect: 'anthropic-messages',
    host: 'api.example',
    port: 443,
    method: 'POST',
    path: '/v1/messages',
    requestedModel: 'm',
    targets: [target],
  },
});
const json = (value: unknown): Body => ({ bytes: Buffer.from(JSON.stringify(value)), contentType: 'application/json', views: [] });
const reading = (file: string) => json({ messages: [{ role: 'assistant', content: [{ type: 'tool_use', input: { file_path: file } }] }] });

/** What policy was told, call by call. */
function rig(more: Partial<MonitorDeps> = {}) {
  const told: Facts[] = [];
  const deps: MonitorDeps = {
    inspect: () => Promise.resolve(clean),
    decide: (_request, facts) => {
      told.push(facts);
      return { effect: 'allow', route: { kind: 'targets', targets: [target] }, policies: [] };
    },
    append: () => Promise.resolve({ index: 0 }),
    taint: createTaint(),
    files: () => ({ highest: 'restricted', of: (name) => Promise.resolve(name.startsWith('/core/') ? 'restricted' : undefined) }),
    now: () => new Date(0),
    ...more,
  };
  return { deps, told, classes: () => told.map(({ classification }) => classification) };
}

describe('the class of a session', () => {
  it('rises with a file that a tool has opened, and stays for what follows, of that session alone', async () => {
    const { deps, classes } = rig();
    await mediate(request(), reading('/w/a.ts'), deps);
    await mediate(request(), reading('/core/b.ts'), deps);
    await mediate(request(), json({ messages: [] }), deps);
    await mediate(request('internal', 'other'), json({ messages: [] }), deps);
    expect(classes()).toEqual(['internal', 'restricted', 'restricted', 'internal']);
  });

  it('rises with what inspection found, never falls, and is never below that of its repository', async () => {
    let found: Classification = 'confidential';
    const { deps, classes } = rig({ inspect: () => Promise.resolve({ ...clean, classification: found }) });
    await mediate(request(), json({}), deps);
    found = 'public';
    await mediate(request(), json({}), deps);
    await mediate(request('restricted'), json({}), deps);
    expect(classes()).toEqual(['confidential', 'confidential', 'restricted']);
  });

  it('that cannot be told is a refusal: nothing is decided', async () => {
    const { deps, told } = rig({
      files: () => {
        throw new Error('the index is broken');
      },
    });
    expect((await mediate(request(), reading('/x'), deps)).decision).toMatchObject({ effect: 'deny' });
    expect(told).toEqual([]);
  });
});

const noise = crypto.createHash('shake256', { outputLength: 4096 }).update('noise').digest();
const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), noise]);
const image = (data: Buffer) =>
  json({
    messages: [
      { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: data.toString('base64') } }] },
    ],
  });
const raw = (bytes: Buffer): Body => ({ bytes, contentType: 'application/octet-stream', views: [] });

describe('what nothing can look into', () => {
  const opaque: [string, Body][] = [
    ['a picture in a message', image(png)],
    ['a picture as a body', raw(png)],
    [
      'a document in a message',
      image(Buffer.concat([Buffer.from('%PDF-1.7\n'), noise, Buffer.from('\ntrailer << /Root 1 0 R >>\n%%EOF\n'.repeat(20))])),
    ],
    ['ciphertext as a body', raw(noise)],
    ['ciphertext in base64', json({ messages: [{ role: 'user', content: `keep this: ${noise.toString('base64')}` }] })],
    ['ciphertext in hex', json({ messages: [{ role: 'user', content: noise.toString('hex') }] })],
    ['ciphertext in gzip', raw(zlib.gzipSync(noise))],
  ];
  const told = async (body: Body, isTainted: boolean) => {
    const inspector = createInspector({ detectors: [] });
    const { deps, told } = rig({ inspect: (...args) => inspector.inspect(...args) });
    if (isTainted) await mediate(request(), reading('/core/b.ts'), deps);
    await mediate(request(), body, deps);
    return told.at(-1)?.labels;
  };

  it.each(opaque)('is a label in a session that has read more than it began with: %s', async (_name, body) => {
    expect([await told(body, true), await told(body, false)]).toEqual([['opaque'], []]);
  });

  it.each<[string, Body]>([
    ['text', json({ messages: [{ role: 'user', content: 'the quay is long '.repeat(100) }] })],
    ['text in base64', json({ messages: [{ role: 'user', content: Buffer.from('the quay is long '.repeat(100)).toString('base64') }] })],
    ['text in gzip', raw(zlib.gzipSync('the quay is long '.repeat(100)))],
    [
      'digests',
      json({
        messages: [
          { role: 'user', content: Array.from({ length: 40 }, (_, i) => `${crypto.hash('sha256', `${i}`)}  file${i}`).join('\n') },
        ],
      }),
    ],
  ])('is not %s', async (_name, body) => expect(await told(body, true)).toEqual([]));

  it('is remembered while its call is sent again and again', async () => {
    const inspector = createInspector({ detectors: [] });
    const { deps, told } = rig({ inspect: (...args) => inspector.inspect(...args) });
    await mediate(request(), reading('/core/b.ts'), deps);
    const history = [{ role: 'user', content: [{ type: 'image', source: { data: png.toString('base64') } }] }];
    for (let i = 0; i < 3; i++) {
      history.push({
        role: 'user',
        content: [{ type: 'text', text: 'and the tide is low in the evening, it said. '.repeat(800) }],
      } as never);
      await mediate(request(), json({ messages: history }), deps);
    }
    expect(told.slice(1).map(({ labels }) => labels)).toEqual([['opaque'], ['opaque'], ['opaque']]);
  });
});
