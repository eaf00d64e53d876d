// Calls into a subject: as many at once as a load says, each answer read to its end and checked.
import { Pool } from 'undici';
import type { Subject } from './subjects.ts';

export interface Load {
  readonly load: string;
  readonly calls: number;
  readonly atOnce: number;
  readonly text: string;
  readonly stream: boolean;
}

/** Prose and code in equal parts, as agents send it. */
const large = Array.from(
  { length: 800 },
  (_, i) => `const value${i} = compute(input${i}, { retries: ${i % 7} }); // the ${i}th step of the plan that was agreed on\n`,
)
  .join('')
  .slice(0, 80_000);
const question = 'What does this function do?';

export const smallLoad: Load = { load: 'small call', calls: 2000, atOnce: 64, text: question, stream: false };
export const streamLoad: Load = { load: 'small stream', calls: 400, atOnce: 64, text: question, stream: true };
export const loads: readonly Load[] = [smallLoad, streamLoad, { load: '80 KB body', calls: 120, atOnce: 16, text: large, stream: false }];

export function bodyOf({ speaks }: Pick<Subject, 'speaks'>, text: string, stream: boolean): string {
  const messages = [{ role: 'user', content: text }];
  return JSON.stringify({ model: 'm', ...(speaks === 'messages' ? { max_tokens: 100 } : {}), messages, ...(stream ? { stream } : {}) });
}

/** Over connections of this round alone: a server may close one that was idle while others were measured. */
export async function drive(subject: Subject, { calls, atOnce, text, stream }: Load): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${subject.process.port}`, { connections: atOnce });
  let left = calls;
  const body = bodyOf(subject, text, stream);
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const { statusCode, body: answered } = await pool.request({ path: subject.path, method: 'POST', headers: subject.headers, body });
      const told = await answered.text();
      if (statusCode !== 200 || !told.includes(stream ? 'word' : 'An answer of a usual length'))
        throw new Error(`it answered with ${statusCode}: ${told.slice(0, 300)}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } catch (cause) {
    throw new Error(`${subject.name}: ${cause instanceof Error ? cause.message : 'fault'}`, { cause });
  } finally {
    await pool.destroy();
  }
}
