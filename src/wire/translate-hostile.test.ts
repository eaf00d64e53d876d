import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../core/index.ts';
import { rehearse } from '../testing/index.ts';
import { translateResponse } from './index.ts';
import { fixture, json, pairs, streamed, translate, turn, watched } from './test-rig.ts';

describe('hostile input', () => {
  /** Every place in a JSON value, as a path. */
  function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
    if (typeof value !== 'object' || value === null) return [path];
    return [path, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, Array.isArray(value) ? Number(key) : key]))];
  }

  function withAt(value: unknown, path: readonly (string | number)[], put: unknown): unknown {
    const [key, ...rest] = path;
    if (key === undefined) return put;
    if (Array.isArray(value)) return value.map((inner, n) => (n === key ? withAt(inner, rest, put) : inner));
    return { ...(value as object), [key]: withAt((value as Record<string, unknown>)[key], rest, put) };
  }

  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('__proto__', { __proto__: null, type: 'text' }, [null], [[]], -1, 1e308, '\ud800'),
  );

  it.each(pairs)('property: a request from %s to %s with any value anywhere is translated or refused, never a crash', (from, to) => {
    const body: unknown = JSON.parse(fixture(from).toString());
    fc.assert(
      fc.property(fc.constantFrom(...places(body)), odd, (path, put) => {
        const bytes = Buffer.from(JSON.stringify(withAt(body, path, put)) ?? 'null');
        try {
          json(translate(from, to, bytes).body);
        } catch (fault) {
          expect(codeOf(fault)).toMatch(/^DIALECT_/);
        }
      }),
      { numRuns: 30 },
    );
  });

  it.each(pairs)('property: an answer for %s from %s with any value anywhere is translated or refused, never a crash', (from, to) => {
    const { translation } = translate(from, to);
    const { body, chunks } = rehearse(to, turn);
    const whole: unknown = JSON.parse(body);
    const events = chunks.flatMap((chunk) =>
      chunk.includes('{') ? [JSON.parse(chunk.slice(chunk.indexOf('data: ') + 6)) as unknown] : [],
    );
    fc.assert(
      fc.property(fc.constantFrom(...places(whole)), fc.nat(events.length - 1), fc.nat(), odd, (path, at, pick, put) => {
        try {
          json(translateResponse(translation, Buffer.from(JSON.stringify(withAt(whole, path, put)))).body);
        } catch (fault) {
          expect(codeOf(fault)).toBe('UPSTREAM_PROTOCOL');
        }
        const changed = events.map((event, n) => {
          const inside = places(event);
          return n === at ? withAt(event, inside[pick % inside.length] ?? [], put) : event;
        });
        const stream = [...changed.map((event) => `data: ${JSON.stringify(event)}\n\n`), 'data: [DONE]\n\n'].join('');
        const seen = watched(from, Buffer.from(streamed(from, to, [stream])));
        expect(seen.isComplete || seen.upstreamError !== undefined).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('the arguments of a call may be long and come in small pieces', () => {
    const open = { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'exec', arguments: '' } }] } }] };
    const more = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: 'x'.repeat(50) } }] } }] })}\n\n`;
    const end = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n';
    const stream = streamed('openai-responses', 'openai-chat', [`data: ${JSON.stringify(open)}\n\n`, more.repeat(20_000), end]);
    expect(stream).toContain('response.completed');
    expect(stream.length).toBeGreaterThan(1_000_000);
  });
});
