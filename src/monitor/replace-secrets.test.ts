// What is replaced, and what is left for a refusal, on what the real detectors find.
import { describe, expect, it } from 'vitest';
import { createInspector, createSecretPlaceholders, detectors } from '../inspect/index.ts';
import { replaceSecrets } from './replace-secrets.ts';

const placeholders = createSecretPlaceholders();
const inspector = createInspector({ isPlaceholder: placeholders.isOurs });
const token = `AKIA${'QYLPMN5HHHFPZAM2'}`;

async function replaced(text: string): Promise<{ text: string; originals: ReadonlyMap<string, string> } | undefined> {
  const bytes = Buffer.from(text);
  const { findings } = await inspector.inspect({ bytes, contentType: 'application/json', views: [] });
  const done = replaceSecrets(bytes, findings, (secret) => placeholders.of('s', secret));
  return done && { text: Buffer.from(done.bytes).toString(), originals: done.originals };
}

const message = (content: unknown): string => JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] });

describe('replaceSecrets', () => {
  it.each<[string, string]>([
    ['in a message', message(`the key is ${token}.`)],
    ['behind an escape', message(`line\n${token}\n"${token}"`)],
    [
      'in the arguments of a call, which are JSON in a string',
      JSON.stringify({ messages: [{ tool_calls: [{ function: { name: 'f', arguments: JSON.stringify({ key: token }) } }] }] }),
    ],
    [
      'in the input of a tool, whatever its field is called',
      JSON.stringify({
        messages: [{ content: [{ type: 'tool_use', id: 'i', name: 'f', input: { url: `https://x/${token}`, name: token } }] }],
      }),
    ],
  ])('%s: the value is gone, everything else is byte for byte the same', async (_name, text) => {
    const done = await replaced(text);
    const [[placeholder, secret] = []] = done?.originals ?? [];
    expect([secret, done?.originals.size]).toEqual([token, 1]);
    expect(done?.text).toBe(text.replaceAll(token, placeholder ?? ''));
  });

  it('takes a key of many lines as one secret, written as JSON writes it', async () => {
    const body = Array.from({ length: 24 }, (_, i) =>
      Buffer.from(`line ${i} of a key that nobody uses, number ${i * 7919}`)
        .toString('base64')
        .slice(0, 64),
    ).join('\n');
    const key = `-----BEGIN RSA PRIVATE KEY-----\n${body}\n-----END RSA PRIVATE KEY-----`;
    const done = await replaced(message(`see:\n${key}\nend`));
    expect(done?.text).not.toContain('line');
    expect(JSON.parse(done?.text ?? '')).toMatchObject({ messages: [{ content: expect.stringMatching(/intramur_secret_/) }] });
    expect([...(done?.originals.values() ?? [])].join('')).toContain(body.slice(0, 200));
  });

  it('takes every other occurrence too, also where nothing tells that it is one', async () => {
    let count = 0;
    for (const { tier, kind, hits } of detectors) {
      const [hit = ''] = hits;
      const [value] = (tier !== 'count' && kind === 'secret' && (await replaced(message(hit)))?.originals.values()) || [];
      // Known by what stands around it: alone it is no finding.
      if (value === undefined || value === hit || (await replaced(message(`just ${value} alone`)))) continue;
      count++;
      const text = (await replaced(message(`${hit}\nand just ${value} alone`)))?.text ?? value;
      expect([hit, text.includes(JSON.stringify(value).slice(1, -1))]).toEqual([hit, false]);
    }
    expect(count).toBeGreaterThan(5);
  });

  it.each<[string, string]>([
    ['seen through a decoder', message(Buffer.from(`the key is ${token} as said`).toString('base64'))],
    ['in a key', JSON.stringify({ messages: [{ content: 'x', [token]: 1 }] })],
    ['in the name of the model', JSON.stringify({ model: token, messages: [] })],
    ['in the data of a file', message([{ type: 'file', file: { file_data: `x ${token}` } }])],
    ['replaceable here, but in a key there', JSON.stringify({ messages: [{ content: `is ${token}` }], [token]: 1 })],
    [
      'once as it is and once encoded',
      message([`is ${token} and`, Buffer.from(`the key is ${token} as said`).toString('base64')].join(' ')),
    ],
  ])('%s: nothing is replaced', async (_name, text) => {
    expect(await replaced(text)).toBeUndefined();
  });

  it('of every detector: what stands in its place is no finding', async () => {
    const remaining: string[] = [];
    let count = 0;
    for (const { id, tier, kind, hits } of detectors) {
      if (tier === 'count' || kind !== 'secret') continue;
      for (const hit of hits) {
        const done = await replaced(message(`first\n${hit}\nlast`));
        if (!done) continue;
        count++;
        const again = await inspector.inspect({ bytes: Buffer.from(done.text), contentType: 'application/json', views: [] });
        if (again.labels.includes('secret')) remaining.push(`${id}: ${hit.slice(0, 12)}`);
      }
    }
    expect(count).toBeGreaterThan(100);
    expect(remaining).toEqual([]);
  });
});
