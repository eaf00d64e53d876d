// Source findings of a payload: matches of each reading, and what a session has leaked drop by drop.
import { type Classification, highestClassification, type InspectFinding } from '../../core/index.ts';
import type { View } from '../view.ts';
import { type Hit, matchesIn, type SourceMatch, sourceFinder } from './find.ts';
import type { FingerprintIndex, SourceDocument } from './index-file.ts';

export interface SourceFinding extends InspectFinding {
  readonly kind: 'source';
  readonly classification: Classification;
}

export interface SourceScanner {
  scan(view: View): { readonly findings: SourceFinding[]; readonly hits: readonly Hit[] };
  /** The finding of a document that a session gave away in parts too small to tell. */
  accumulated(document: number, keys: number, hits: readonly Hit[]): SourceFinding | undefined;
}

export function sourceScanner(index: FingerprintIndex): SourceScanner {
  const finder = sourceFinder(index);

  const findingOf = (match: SourceMatch, view: View): SourceFinding | undefined => {
    const document = documentOf(index, match.document);
    if (!document || document.classification === 'public') return undefined;
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
      const hits = finder.hits(view.bytes).filter(({ document }) => documentOf(index, document)?.classification !== 'public');
      const findings = matchesIn(hits).flatMap((match) => findingOf(match, view) ?? []);
      return { findings, hits };
    },
    accumulated(number, keys, hits) {
      const document = documentOf(index, number);
      if (!document) return undefined;
      return {
        ...common(document, keys),
        tier: 'route',
        detector: 'own-source-session',
        view: [],
        start: Math.min(...hits.map(({ start }) => start)),
        end: Math.max(...hits.map(({ end }) => end)),
        redacted: `own-source, in parts over the session`,
      };
    },
  };
}

function common({ repository, path, classification }: SourceDocument, score: number) {
  return { kind: 'source' as const, classification, repository, document: path, score };
}

function documentOf(index: FingerprintIndex, number: number): SourceDocument | undefined {
  return index.documents[number - 1];
}

/** The highest class of what was found at tier block or route. */
export function classificationOf(findings: readonly SourceFinding[]): Classification {
  return findings
    .filter(({ tier }) => tier !== 'count')
    .reduce<Classification>((highest, { classification }) => highestClassification(highest, classification), 'public');
}
