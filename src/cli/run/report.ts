// What `run` says at the end of a session, summed up by the daemon, or by the ledger when that is not there any more.
import { codeOf, product } from '../../core/index.ts';
import type { CloseRequest, DaemonClient, OpenReply, Summary } from '../../daemon/index.ts';
import type { CliIo } from '../io.ts';
import type { RunOptions } from './options.ts';
import { endLines, printable } from './status-line.ts';
import type { Lesson } from './when-asked/learn.ts';

/** What the launcher knows of a session by itself. */
interface Own {
  readonly ledger: string;
  readonly session: string;
  readonly agent: string;
  readonly purpose: OpenReply['purpose'];
  readonly began: number;
}

/** The program's exit code is the command's, also when there is nobody left to sum up what it did. */
export async function report(
  client: DaemonClient,
  ended: CloseRequest,
  lesson: Lesson | undefined,
  options: RunOptions,
  known: Own,
  io: CliIo,
): Promise<void> {
  try {
    const summary = await client.close(ended).catch(async (fault: unknown) => await withoutDaemon(fault, ended, known));
    if (options.summaryFile !== undefined)
      io.stderr.write((await import('./when-asked/summary-file.ts')).writeSummary(options.summaryFile, summary));
    // Nothing is known of what it did, and that is not nothing.
    if (summary.ledger.first < 0) return void io.stderr.write(`${product.name}: no summary: ${printable(summary.incomplete ?? '')}\n`);
    if (summary.incomplete !== undefined)
      io.stderr.write(`${product.name}: ${printable(summary.incomplete)}; the summary is what the ledger has\n`);
    io.stderr.write(endLines(summary, options.mode));
    if (lesson && summary.incomplete === undefined) io.stderr.write(lesson.propose(summary));
  } catch (fault) {
    if (codeOf(fault) === undefined) throw fault;
    io.stderr.write(`${product.name}: no summary: ${fault instanceof Error ? fault.message : ''}\n`);
  }
}

async function withoutDaemon(fault: unknown, ended: CloseRequest, { ledger, began, ...known }: Own): Promise<Summary> {
  if (codeOf(fault) === undefined || !(fault instanceof Error)) throw fault;
  const { summaryOfLedger } = await import('./when-asked/summary-of-ledger.ts');
  const startedAt = new Date(Date.now() - process.uptime() * 1000 + began);
  const halted = codeOf(fault) === 'SESSION_HALTED' ? { halted: fault.message } : {};
  return await summaryOfLedger(ledger, { ...known, startedAt }, { ...ended, ...halted }, fault.message);
}
