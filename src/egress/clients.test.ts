// Real programs talk through an egress: what they do every day must work, and what is refused must be told to them.
import { afterEach, describe, expect, it } from 'vitest';
import { createRig, type Rig } from './rig.ts';

let rig: Rig;
afterEach(async () => await rig.stop());

describe('curl', () => {
  it.each(['--http1.1', '--http2'])('fetches over TLS, %s', async (version) => {
    rig = createRig();
    const port = await rig.listen('any', 443);
    const address = rig.resolve('Example.COM');
    const got = await rig.run('curl', [
      '-sS',
      version,
      '--cacert',
      rig.caPath,
      '--connect-to',
      `example.com:443:${address}:${port}`,
      'https://example.com/a?b=c',
      'https://example.com/again',
    ]);
    expect(got).toEqual({ code: 0, stderr: '', stdout: 'GET https://example.com:443/a?b=c\nGET https://example.com:443/again\n' });
    expect(rig.heads[0]).toMatchObject({
      isDirect: false,
      via: 'transparent',
      target: '/a?b=c',
      httpVersion: version === '--http2' ? '2.0' : '1.1',
    });
  });
});
