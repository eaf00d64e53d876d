// The file of `--summary-json`: looked at before the program starts, since a place where nothing can be written is a wrong word of the
// user's, and no reason to lose what the program says at its end.
import fs from 'node:fs';
import path from 'node:path';
import { IntramurError, product } from '../../../core/index.ts';
import type { Summary } from '../../../daemon/index.ts';
import { reasonOf } from '../../file-fault.ts';

/** @throws IntramurError USAGE when it could not be written now */
export function refuseUnwritable(file: string): void {
  try {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    // Of a file that is not there its directory is asked, as a path, so that what is no directory is told.
    fs.accessSync(stat ? file : `${path.dirname(file)}/.`, fs.constants.W_OK);
    if (stat?.isDirectory()) throw cannot(file, 'it is a directory');
  } catch (fault) {
    throw fault instanceof IntramurError ? fault : cannot(file, reasonOf(fault));
  }
}

function cannot(file: string, reason: string): IntramurError {
  return new IntramurError('USAGE', `--summary-json: cannot write ${JSON.stringify(file.slice(0, 200))}: ${reason}`);
}

/** @returns a line for the user when it could not be written: the program has ended, and its exit code is the answer */
export function writeSummary(file: string, summary: Summary): string {
  try {
    fs.writeFileSync(file, `${JSON.stringify(summary, undefined, 2)}\n`);
    return '';
  } catch (fault) {
    return `${product.name}: the summary could not be written to ${file}: ${reasonOf(fault)}\n`;
  }
}
