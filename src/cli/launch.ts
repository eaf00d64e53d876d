// `run` as a bundle of its own (rolldown.config.ts): what a launch loads is nobody else's, so it comes in few files and no larger than needed.
import { perform } from './perform.ts';
import { run } from './run.ts';
import { shareOutput } from './shared-output.ts';

export async function performRun(args: readonly string[]): Promise<number> {
  shareOutput();
  return await perform(() => Promise.resolve({ run }), args);
}
