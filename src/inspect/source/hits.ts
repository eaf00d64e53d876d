// Where a text met the table of fingerprints. Flat arrays: a prompt full of the company's code has a hundred thousand hits.
import type { Channel } from './grams.ts';

export interface Hits {
  count: number;
  channel: Uint8Array;
  document: Int32Array;
  /** Tells keys apart, within one index. */
  key: Float64Array;
  /** First word covered, counted from the beginning of the text. */
  word: Int32Array;
  start: Int32Array;
  end: Int32Array;
}

const codes: Readonly<Record<Channel, number>> = { E8: 0, E12: 1, L: 2, S: 3 };
const names: readonly Channel[] = ['E8', 'E12', 'L', 'S'];

export function newHits(size = 256): Hits {
  return {
    count: 0,
    channel: new Uint8Array(size),
    document: new Int32Array(size),
    key: new Float64Array(size),
    word: new Int32Array(size),
    start: new Int32Array(size),
    end: new Int32Array(size),
  };
}

export function addHit(hits: Hits, channel: Channel, document: number, key: number, word: number, start: number, end: number): void {
  if (hits.count === hits.document.length) growHits(hits);
  const i = hits.count++;
  hits.channel[i] = codes[channel];
  hits.document[i] = document;
  hits.key[i] = key;
  hits.word[i] = word;
  hits.start[i] = start;
  hits.end[i] = end;
}

function growHits(hits: Hits): void {
  const larger = newHits(4 * hits.document.length);
  larger.channel.set(hits.channel);
  larger.document.set(hits.document);
  larger.key.set(hits.key);
  larger.word.set(hits.word);
  larger.start.set(hits.start);
  larger.end.set(hits.end);
  Object.assign(hits, larger, { count: hits.count });
}

export function channelOf(hits: Hits, i: number): Channel {
  return names[hits.channel[i] ?? 0] ?? 'E8';
}

/** Positions of the hits of each document, in order of their words. */
export function byDocument(hits: Hits): Map<number, number[]> {
  const lists = new Map<number, number[]>();
  let last = -1;
  let list: number[] | undefined;
  for (let i = 0; i < hits.count; i++) {
    const document = hits.document[i] ?? 0;
    if (document !== last || !list) {
      list = lists.get(document);
      if (!list) lists.set(document, (list = []));
      last = document;
    }
    list.push(i);
  }
  const { word } = hits;
  // Each channel gave its hits in order, so the lists are nearly sorted: the sort merges a few runs.
  for (const each of lists.values()) each.sort((a, b) => (word[a] ?? 0) - (word[b] ?? 0));
  return lists;
}
