// Source findings of a payload: matches of each reading, and what a session has leaked drop by drop.
import { type Classification, highestClassification, type InspectFinding } from '../../core/index.ts';
import type { Span, View } from '../view.ts';
import { matchesIn, type SourceMatch, sourceFinder } from './find.ts';
import { channelOf, type Hits } from './hits.ts';
import type { FingerprintIndex, SourceDocument } from './index-file.ts';

/** A finding that says how sensitive what was found is. */
export interface ClassifiedFinding extends InspectFinding {
  readonly classification: Classification;
}

export interface SourceFinding extends ClassifiedFinding {
  readonly kind: 'source';
}

/** What a reading holds of one document, however little. */
export interface Trace extends Span {
  readonly document: number;
  /** Keys, and of each whether it stands for a run of words or of structure; else for a line. */
  readonly keys: ReadonlyMap<number, boolean>;
}

export interface SourceScanner {
  scan(view: View): { readonly findings: SourceFinding[]; readonly traces: readonly Trace[] };
  /** The finding of a document that a session gave away in parts too small to tell. */
  accumulated(document: number, keys: number, span: Span): SourceFinding | undefined;
}

export function sourceScanner(index: FingerprintIndex): SourceScanner {
  const finder = sourceFinder(index);
  const isOwn = (document: number) => documentOf(index, document)?.classification !== 'public';

  const findingOf = (match: SourceMatch, view: View): SourceFinding | undefined => {
    const document = documentOf(index, match.document);
    if (!document) return undefined;
    return {
      ...common(document, match.score),
      tier: match.tier,
      detector: 'own-source',
      view: view.decodersOf(match.start, match.end),
      ...view.origin(match.start, match.end),
      redacted: `own-source, ${match.end - match.start} bytes`,
    };
  };

  return {
    scan(view) {
      const { hits, blocks } = finder.hits(view.bytes);
      view.noteBlocks(blocks);
      if (hits.count === 0) return nothing;
      const findings = matchesIn(hits, isOwn).flatMap((match) => findingOf(match, view) ?? []);
      return { findings, traces: tracesOf(hits, view, isOwn) };
    },
    accumulated(number, keys, { start, end }) {
      const document = documentOf(index, number);
      if (!document) return undefined;
      return {
        ...common(document, keys),
        tier: 'route',
        detector: 'own-source-session',
        view: [],
        start,
        end,
        redacted: `own-source, in parts over the session`,
      };
    },
  };
}

const nothing = { findings: [], traces: [] };

function tracesOf(hits: Hits, view: View, isOwn: (document: number) => boolean): Trace[] {
  const traces = new Map<number, { keys: Map<number, boolean>; start: number; end: number }>();
  for (let i = 0; i < hits.count; i++) {
    const document = hits.document[i] ?? 0;
    let trace = traces.get(document);
    if (!trace) {
      if (!isOwn(document)) continue;
      traces.set(document, (trace = { keys: new Map(), start: hits.start[i] ?? 0, end: 0 }));
    }
    trace.keys.set(hits.key[i] ?? 0, channelOf(hits, i) !== 'L');
    trace.start = Math.min(trace.start, hits.start[i] ?? 0);
    trace.end = Math.max(trace.end, hits.end[i] ?? 0);
  }
  return [...traces].map(([document, { keys, start, end }]) => ({ document, keys, ...view.origin(start, end) }));
}

function common({ repository, path, classification }: SourceDocument, score: number) {
  return { kind: 'source' as const, classification, repository, document: path, score };
}

function documentOf(index: FingerprintIndex, number: number): SourceDocument | undefined {
  return index.documents[number - 1];
}

/** The highest class of what was found at tier block or route. */
export function classificationOf(findings: readonly ClassifiedFinding[]): Classification {
  return findings
    .filter(({ tier }) => tier !== 'count')
    .reduce<Classification>((highest, { classification }) => highestClassification(highest, classification), 'public');
}
