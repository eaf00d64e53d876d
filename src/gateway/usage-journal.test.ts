import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openUsage, readAllUsage } from './usage-journal.ts';

let home: string;
let keyFile: string;
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'usage-'));
  keyFile = path.join(home, 'state/keys.json');
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

const open = (faults: unknown[] = []) => openUsage(keyFile, (fault) => faults.push(fault));
const at = (requests: number, since = '2026-03-01') => ({ since, requests, tokens: requests * 10, usd: requests / 100 });
const journal = (): string => path.join(home, 'state/key-usage.journal');

describe('what keys have used', () => {
  it('is there at once, and after a kill', () => {
    const one = open();
    one.put('a', at(1));
    one.put('b', at(1));
    one.put('a', at(2));
    expect(Object.fromEntries(readAllUsage(keyFile))).toEqual({ a: at(2), b: at(1) });
    expect(Object.fromEntries(open().used)).toEqual({ a: at(2), b: at(1) });
    expect(fs.statSync(path.join(home, 'state/key-usage.json')).mode & 0o777).toBe(0o600);
  });

  it('of a key without a budget is there a little later, and when the daemon ends', async () => {
    const one = open();
    one.put('a', at(1), false);
    await vi.waitFor(() => expect(Object.fromEntries(readAllUsage(keyFile))).toEqual({ a: at(1) }));
    one.put('a', at(2), false);
    one.close();
    expect(Object.fromEntries(readAllUsage(keyFile))).toEqual({ a: at(2) });
  });

  it('stays in a journal of bounded size', () => {
    const one = open();
    for (let n = 1; n <= 5000; n++) one.put('a', at(n));
    expect(fs.statSync(journal()).size).toBeLessThan(100_000);
    expect(readAllUsage(keyFile).get('a')).toEqual(at(5000));
    one.close();
    expect([fs.statSync(journal()).size, readAllUsage(keyFile).get('a')]).toEqual([0, at(5000)]);
  });

  it('outlives a line that was cut short, and text that is none', () => {
    open().put('a', at(3));
    fs.appendFileSync(journal(), `\0\0\n[]\n{"id":"a"}\n${JSON.stringify({ id: 'a', ...at(4) }).slice(0, -5)}`);
    expect(readAllUsage(keyFile).get('a')).toEqual(at(3));
  });

  it('begins anew with a period, also one that began before', () => {
    const one = open();
    one.put('a', at(9));
    one.close();
    const two = open();
    two.put('a', at(1, '2026-02-01'));
    expect(readAllUsage(keyFile).get('a')).toEqual(at(1, '2026-02-01'));
  });

  it('counts on in memory where it cannot be written, and says so', () => {
    fs.writeFileSync(path.join(home, 'state'), '');
    const faults: unknown[] = [];
    const one = open(faults);
    one.put('a', at(1));
    expect([one.used.get('a'), faults.length]).toEqual([at(1), 1]);
  });
});
