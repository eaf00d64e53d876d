// Attestations are kept, each as a document and as a page: one for each agent, version and program. One in which only some surroundings
// were varied stands beside a whole one and never takes its place.
import fs from 'node:fs';
import path from 'node:path';
import { usualFactors } from '../../attest/index.ts';
import { IntramurError } from '../../core/index.ts';
import { type AttestDocument, readDocument } from './document.ts';
import { attestationPage } from './page.ts';

export interface Kept {
  readonly json: string;
  readonly html: string;
}

export function keep(state: string, document: AttestDocument): Kept {
  const directory = directoryOf(state, document.agent);
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const base = path.join(directory, `${fileName(document.version)}-${document.sha256.slice(0, 12)}${isPart(document) ? '-part' : ''}`);
  const kept = { json: `${base}.json`, html: `${base}.html` };
  replace(kept.json, `${JSON.stringify(document, undefined, 2)}\n`);
  replace(kept.html, attestationPage(document));
  return kept;
}

/**
 * The newest that was kept of this version, a whole one if there is any, or the one in the file of that name.
 * @throws IntramurError CONFIG_NOT_FOUND when there is none
 */
export function kept(state: string, agent: string, version: string, cwd: string): AttestDocument {
  const file = path.resolve(cwd, version);
  if (version.includes('/') || version.endsWith('.json')) {
    if (!fs.existsSync(file)) throw new IntramurError('CONFIG_NOT_FOUND', `there is no file ${file}`);
    return readDocument(fs.readFileSync(file, 'utf8'), file);
  }
  const directory = directoryOf(state, agent);
  const all = fs.existsSync(directory) ? fs.readdirSync(directory).filter((name) => name.endsWith('.json')) : [];
  const documents = all.map((name) => readDocument(fs.readFileSync(path.join(directory, name), 'utf8'), name));
  const ofVersion = documents.filter((one) => one.version === version).toSorted((a, b) => (a.attestedAt < b.attestedAt ? 1 : -1));
  const newest = ofVersion.find((one) => !isPart(one)) ?? ofVersion[0];
  if (newest !== undefined) return newest;
  const known = [...new Set(documents.map((one) => one.version))].join(', ');
  throw new IntramurError('CONFIG_NOT_FOUND', `${agent} ${version} was not attested here`, {
    hint: known === '' ? `attest ${agent} keeps what it finds` : `attested versions: ${known}`,
  });
}

function isPart({ varied, notVaried }: AttestDocument): boolean {
  return usualFactors.some((factor) => !varied.includes(factor) && !notVaried.includes(factor));
}

function directoryOf(state: string, agent: string): string {
  return path.join(state, 'attestations', fileName(agent));
}

function fileName(text: string): string {
  return text
    .replaceAll(/[^\w.@+-]/g, '_')
    .replace(/^\./, '_')
    .slice(0, 100);
}

function replace(file: string, text: string): void {
  const next = `${file}.next`;
  fs.writeFileSync(next, text, { mode: 0o600 });
  fs.renameSync(next, file);
}
