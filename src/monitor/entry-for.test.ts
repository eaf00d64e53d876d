// The ledger entry is bounded whatever an agent asks for.
import { expect, it } from 'vitest';
import { deny, type HttpRequest, type Principal } from '../core/index.ts';
import { entryFor } from './entry-for.ts';

const principal: Principal = {
  session: 's',
  user: 'u',
  agent: 'a',
  vetting: 'unvetted',
  purpose: 'research',
  classification: 'internal',
  workspace: '/w',
  via: 'sandbox',
};
const body = { bytes: new Uint8Array(), contentType: '', views: [] };

it('a flood of long paths and methods fills no disk: each stands in its entry by its beginning, its length and its hash', () => {
  const asked: HttpRequest = {
    action: 'http.request',
    class: 'other',
    scheme: 'http',
    host: 'a.example',
    port: 80,
    method: 'M'.repeat(60_000),
    path: `/${'p'.repeat(60_000)}`,
    isDirect: false,
    isGranted: false,
  };
  const of = (path: string) => entryFor({ principal, act: { ...asked, path } }, body, deny('no'), undefined, undefined);
  expect(JSON.stringify(of(asked.path)).length).toBeLessThan(4096);
  expect(of(asked.path).path).toMatch(/^\/p{1023}… \(60001 characters, sha256:[0-9a-f]{64}\)$/);
  expect(of(`${asked.path}x`).path).not.toBe(of(asked.path).path);
  expect(of('/short').path).toBe('/short');
});
