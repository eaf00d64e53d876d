// What a session was told before must not hide what it is told now: a payload is sent once broken, so that it is noise, and once whole.
import { describe, expect, it } from 'vitest';
import { createInspector } from './index.ts';

const token = ['xoxb', '123456789012', '123456789012', 'aB3dE5fG7hJ9kL1mN3pQ5rS7'].join('-');
const line = (i: number) =>
  `Line ${i} of the log says that the build is done and the result of it was put into the cache for the next run.`;
const lines = (count: number) => Array.from({ length: count }, (_, i) => line(i));
/** The token stands far behind the first line, out of reach of what is looked at again around a change. */
const secret = Buffer.from(`${lines(60).join('\n')}\ntoken ${token}\n${lines(20).join('\n')}`);

const json = (parts: readonly string[]) => ({
  bytes: Buffer.from(
    JSON.stringify({ messages: [{ role: 'user', content: [...lines(400), ...parts].map((text) => ({ type: 'text', text })) }] }),
  ),
  contentType: 'application/json',
  views: [],
});
const text = (parts: readonly string[]) => ({
  bytes: Buffer.from([...lines(400), ...parts].join('\n')),
  contentType: 'text/plain',
  views: [],
});
const inLines = (encoded: string) => encoded.match(/.{1,76}/g) ?? [];

describe('a change before a secret that was noise so far', () => {
  const encodings = { base64: inLines(secret.toString('base64')), hex: inLines(secret.toString('hex')) };
  for (const [form, make] of Object.entries({ json, text })) {
    for (const [encoding, whole] of Object.entries(encodings)) {
      it.each([1, 2, 3])(`${encoding} in ${form}, first sent without its first %d characters`, async (missing) => {
        const inspector = createInspector();
        const [first = '', ...rest] = whole;
        await inspector.inspect(make([first.slice(missing), ...rest]), { session: 's' });
        const { labels } = await inspector.inspect(make(whole), { session: 's' });
        expect(labels).toContain('secret');
      });
    }
  }
});

it('a conversation that grows is still looked at only where it is new', async () => {
  const clock = { looks: 0 };
  const inspector = createInspector({ isPlaceholder: () => ((clock.looks += 1), false) });
  const said = [`The key is ${token} for now, and it is not to be used by others.`, ...lines(40)];
  await inspector.inspect(json(said), { session: 's' });
  clock.looks = 0;
  const { labels } = await inspector.inspect(json([...said, 'And one more thing that the user said to the model.']), { session: 's' });
  expect([labels, clock.looks]).toEqual([['secret'], 0]);
});
