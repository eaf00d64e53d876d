// Asks a person at a terminal whether to go on; without one the answer is no. Ctrl-C at the question ends the command as it does any other,
// before anything was done; Ctrl-D is no.
import { createInterface } from 'node:readline';
import type { CliIo } from './io.ts';

export async function agreed(question: string, { stdin, stderr }: Pick<CliIo, 'stdin' | 'stderr'>): Promise<boolean> {
  if (!isTerminal(stdin) || !isTerminal(stderr)) return false;
  const { promise, resolve } = Promise.withResolvers<string>();
  const prompt = createInterface({ input: stdin, output: stderr });
  let isBrokenOff = false;
  prompt.once('SIGINT', () => {
    isBrokenOff = true;
    prompt.close();
    stderr.write('\n');
    process.kill(process.pid, 'SIGINT');
  });
  prompt.once('close', () => {
    if (!isBrokenOff) resolve('');
  });
  prompt.question(`${question} [y/N] `, resolve);
  const answer = await promise;
  prompt.close();
  return /^y(?:es)?$/i.test(answer.trim());
}

export function isTerminal(stream: NodeJS.ReadableStream | NodeJS.WritableStream): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}
