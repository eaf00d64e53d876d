// Connections to ports on which nobody listens are heard of, all of them, and nothing else is.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { doctor } from './doctor.ts';
import { launch } from './launch.ts';
import { boxIn, closeAll } from './testdata/box.ts';

const { mode: enforcement, layers } = await doctor();
const why = layers.find(({ ok }) => !ok)?.reason ?? '';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-unanswered-')));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));
let count = 0;

/** Runs a script of Python with `dial(address, port)`, and says what the launcher heard. */
async function heardOf(script: string): Promise<string[]> {
  const heard: string[] = [];
  const python = `import socket
def dial(address, port):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.settimeout(5)
    try:
        s.connect((address, port))
    except ConnectionRefusedError:
        pass
    return s
${script}`;
  const session = path.join(scratch, String(count++));
  const plan = boxIn(session, { argv: ['/usr/bin/python3', '-c', python], cacheDir: path.join(scratch, 'cache'), mode: 'direct' });
  const launched = await launch(plan, { listening: closeAll, unanswered: (address, port) => heard.push(`${address} ${port}`) });
  expect(await launched.exited).toEqual({ code: 0, signal: null });
  await launched.heard();
  return heard;
}

describe.skipIf(enforcement === 'none')(`attempts that nobody answers${enforcement === 'none' ? `, skipped: ${why}` : ''}`, () => {
  it('are heard with the address and port that were dialled, also those of the last instant', async () => {
    const heard = await heardOf(`
dial("93.184.216.34", 8443); dial("169.254.169.254", 8000); dial("127.64.1.0", 9000); dial("::ffff:1.2.3.4", 81)
dial("2001:db8::5", 1); dial("2001:db8::ffff:0", 65535)`);
    expect(heard).toEqual([
      '93.184.216.34 8443',
      '169.254.169.254 8000',
      '127.64.1.0 9000',
      '1.2.3.4 81',
      '2001:db8::5 1',
      '2001:db8::ffff:0 65535',
    ]);
  });

  it('on the program’s own addresses, or answered by itself, are nobody’s business', async () => {
    const heard = await heardOf(`
dial("127.0.0.1", 5000); dial("127.1.2.3", 5000); dial("::1", 5000)
server = socket.create_server(("0.0.0.0", 7000))
client = dial("8.8.8.8", 7000)
there = server.accept()[0]
client.sendall(b"x" * 4096)
there.close()
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
client.close()`);
    expect(heard).toEqual([]);
  });

  it('in great number hold nobody up, and are heard until the watch is full', async () => {
    const heard = await heardOf(`
for port in range(20000, 25000):
    dial("8.8.8.8", port).close()`);
    expect(heard[0]).toBe('8.8.8.8 20000');
    expect(heard.length).toBeGreaterThan(100);
    expect(new Set(heard).size).toBe(heard.length);
  });
});
