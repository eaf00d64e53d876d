// `intramur inspect --jsonl`: one JSON line in, one answer out, in order and at once, until the input ends.
import { createInterface } from 'node:readline';
import type { InspectFinding, Report } from '../core/index.ts';
import type { Inspector } from '../inspect/index.ts';
import { type Question, questionOf } from './inspect-question.ts';

export type LineAnswer = { readonly id: string | number | null } & Report;

/** Resolves with the exit code: 1 when any line had a finding or could not be looked at. */
export async function answerLines(
  stream: NodeJS.ReadableStream,
  inspector: Inspector,
  answer: (answer: LineAnswer) => void,
): Promise<0 | 1> {
  let isClean = true;
  // One character per byte: bytes that are no UTF-8 stay what they are, and only bytes end a line, never U+2028 in a text.
  stream.setEncoding('latin1');
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    const bytes = Buffer.from(line, 'latin1');
    const question = questionOf(bytes);
    const report =
      'refused' in question ? { ...nothing, bytes: bytes.length, refused: question.refused } : await reportOn(question, inspector);
    if (report.refused || report.findings.length > 0) isClean = false;
    answer({ id: question.id, ...report });
  }
  return isClean ? 0 : 1;
}

const nothing = { classification: 'public', labels: [], findings: [], ms: 0 } as const;

async function reportOn({ body, session, coded }: Question, inspector: Inspector): Promise<Report> {
  const report = await inspector.inspect(body, session === undefined ? {} : { session });
  if (!coded) return report;
  const { decoders, bytes } = coded;
  // Where something stands in the content says nothing of where it stands in what was sent: somewhere in all of it.
  const findings = report.findings.map((finding): InspectFinding => {
    if (finding.start === finding.end) return { ...finding, start: bytes, end: bytes };
    return { ...finding, view: [...decoders, ...finding.view], start: 0, end: bytes };
  });
  return { ...report, bytes, findings: [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()] };
}
