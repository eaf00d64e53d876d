// The progress of an audit on a terminal: one line on standard error that is drawn over itself and gone at the end. Without a terminal
// there is none. What has a name from the disk is made harmless first, and nothing is longer than the line.
import type { Progress } from '../../audit/index.ts';
import { display } from '../../audit/index.ts';
import type { CliIo } from '../io.ts';

export interface ProgressBar {
  show(progress: Progress): void;
  end(): void;
}

/** Nothing is drawn before this many milliseconds, and no oftener than each so many: a short audit shows no bar, a long one does not flicker. */
const pace = { firstMs: 250, eachMs: 100 } as const;
const cells = 20;

/** @param now milliseconds, monotonic */
export function progressBar(io: Pick<CliIo, 'stderr' | 'home'>, now: () => number = () => performance.now()): ProgressBar | undefined {
  const { stderr } = io;
  if (!('isTTY' in stderr) || stderr.isTTY !== true) return undefined;
  const width = 'columns' in stderr && typeof stderr.columns === 'number' && stderr.columns > 0 ? stderr.columns : 80;
  let next = now() + pace.firstMs;
  let isDrawn = false;
  return {
    show(progress) {
      const at = now();
      if (at < next) return;
      next = at + pace.eachMs;
      isDrawn = true;
      stderr.write(`\r${lineOf(progress, io.home, width)}\u001b[K`);
    },
    end() {
      if (isDrawn) stderr.write('\r\u001b[K');
      isDrawn = false;
    },
  };
}

function lineOf({ fraction, files, place }: Progress, home: string, width: number): string {
  const done = Math.floor(Math.min(1, Math.max(0, fraction)) * cells);
  const bar = `[${'#'.repeat(done)}${'-'.repeat(cells - done)}]`;
  const head = `${bar} ${String(Math.floor(fraction * 100)).padStart(3)} %  ${files.toLocaleString('en').padStart(7)} files`;
  const name = display(place.startsWith(`${home}/`) ? `~${place.slice(home.length)}` : place);
  // The last column stays free: a terminal may wrap when it is written.
  const room = width - 1 - head.length - 2;
  if (room < 8) return head.slice(0, Math.max(0, width - 1));
  return `${head}  ${name.length <= room ? name : `…${name.slice(1 - room)}`}`;
}
