// YAML or JSON that people write beside policies: requests and cases. Bounded like any other input.
import { parseDocument } from 'yaml';
import { Reader, type RequestDocument, readRequest } from './request-document.ts';
import { invalid, readBounded } from './source.ts';

/** @throws IntramurError POLICY_INVALID with file and line */
export async function readDocument(file: string): Promise<unknown> {
  return parseText(file, (await readBounded(file)).toString('utf8'));
}

/** One request, as `policy explain --request` takes it. */
export function parseRequestDocument(name: string, text: string): RequestDocument {
  return readRequest(new Reader(parseText(name, text), name, ['principal', 'act', 'facts'], ': '));
}

function parseText(name: string, text: string): unknown {
  const document = parseDocument(text, { version: '1.2', schema: 'core', logLevel: 'error' });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem)
    throw invalid(
      `${name}:${problem.linePos?.[0].line ?? 1}:${problem.linePos?.[0].col ?? 1}: not valid YAML: ${problem.message.split('\n')[0]}`,
    );
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    throw invalid(`${name}: too many aliases`);
  }
}
