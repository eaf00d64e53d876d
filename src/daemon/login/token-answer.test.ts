// A key that a vendor hands out for a login: what is not plainly one is none, so that nothing of the answer comes inside.
import { expect, it } from 'vitest';
import { adapters } from '../../agents/index.ts';
import { readKey } from './token-answer.ts';

const flow = adapters.flatMap(({ logins }) => logins).find(({ key }) => key !== undefined);

it.each<[string, number, unknown, string | undefined]>([
  ['a key', 200, { raw_key: 'sk-ant-REAL', name: 'x' }, 'sk-ant-REAL'],
  ['a key that was created', 201, { raw_key: 'sk-ant-REAL' }, 'sk-ant-REAL'],
  ['a key with a failure', 400, { raw_key: 'sk-ant-REAL' }, undefined],
  ['a key in a redirect', 302, { raw_key: 'sk-ant-REAL' }, undefined],
  ['a key that is an object', 200, { raw_key: { value: 'sk-ant-REAL' } }, undefined],
  ['a key of two lines', 200, { raw_key: 'sk-ant-REAL\r\nx: y' }, undefined],
  ['a key of another name', 200, { key: 'sk-ant-REAL' }, undefined],
  ['a list', 200, [{ raw_key: 'sk-ant-REAL' }], undefined],
  ['a key without end', 200, { raw_key: 'x'.repeat(20_000) }, undefined],
])('%s', (_name, status, answer, key) => {
  if (!flow) throw new Error('no login hands out keys');
  expect(readKey(status, Buffer.from(JSON.stringify(answer)), flow)).toBe(key);
  expect(readKey(status, undefined, flow)).toBeUndefined();
});
