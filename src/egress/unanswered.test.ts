// What is told of connections that the kernel refused: each place once a minute, and only so many.
import { expect, it } from 'vitest';
import { NameTable } from './name-table.ts';
import type { Reports } from './report.ts';
import { createUnanswered } from './unanswered.ts';

function rig() {
  const told: string[] = [];
  const names = new NameTable(10);
  let nowMs = 0;
  const tell: Reports['tell'] = async ({ host, port, isDirect, detail }) => {
    told.push(`${host} ${port} ${isDirect ? 'address' : 'name'}: ${detail.refused}`);
  };
  const unanswered = createUnanswered({ names, reports: { tell }, now: () => nowMs });
  return { told, names, unanswered, later: (ms: number) => (nowMs += ms) };
}

it('tells the name that the program asked for, or the address where it asked for none', () => {
  const { told, names, unanswered } = rig();
  unanswered(names.addressOf('evil.example') ?? '', 8081);
  unanswered('169.254.169.254', 8000);
  unanswered('2001:db8::5', 1);
  expect(told).toEqual([
    'evil.example 8081 name: there is no way out on port 8081 without a grant (intramur run --allow evil.example:8081)',
    '169.254.169.254 8000 address: there is no way out on port 8000',
    '2001:db8::5 1 address: there is no way out on port 1',
  ]);
});

it('tells a place once a minute, and stops telling places apart where there are too many', () => {
  const { told, unanswered, later } = rig();
  for (let i = 0; i < 1000; i++) unanswered('8.8.8.8', 81);
  expect(told).toHaveLength(1);
  for (let port = 1000; port < 9000; port++) unanswered('8.8.8.8', port);
  expect(told).toHaveLength(257);
  expect(told.at(-1)).toContain('more than 256 places were dialled in a minute');
  later(59_999);
  unanswered('8.8.8.8', 81);
  expect(told).toHaveLength(257);
  later(1);
  unanswered('8.8.8.8', 81);
  expect(told.at(-1)).toBe('8.8.8.8 81 address: there is no way out on port 81');
});
