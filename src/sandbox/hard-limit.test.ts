import { expect, it } from 'vitest';
import { hardLimit } from './hard-limit.ts';

const limits = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max file size             unlimited            1048576              bytes
Max processes             500                  1000                 processes
`;

it('is the second of two numbers, or nothing that limits', () => {
  expect(hardLimit('Max processes', limits)).toBe(1000);
  expect(hardLimit('Max file size', limits)).toBe(1_048_576);
  expect(hardLimit('Max processes', limits.replace('1000 ', 'unlimited'))).toBe(Number.POSITIVE_INFINITY);
  expect(hardLimit('Max processes', '')).toBe(Number.POSITIVE_INFINITY);
});
