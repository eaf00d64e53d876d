// A program that was found outside and could not be started inside: why, in the user's words, and the command's exit code.
import { product } from '../../../core/index.ts';
import { printable } from '../status-line.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'cannot be started: it, or the interpreter or loader that it names, is not there inside',
  ENOTDIR: 'cannot be started: its path, or that of its interpreter, leads through a file',
  EACCES: 'cannot be started: it, or the interpreter that it names, is not executable for the user inside',
  ENOEXEC: 'cannot be started: it is no program for this machine, and no script whose first line names its interpreter (#!)',
  E2BIG: 'cannot be started: its arguments are too long',
};

/**
 * @param errno the name of the kernel's error
 * @param isAudited somebody decides which programs start: a refusal of theirs is EPERM
 */
export function notStarted(command: string, errno: string, isAudited: boolean): { readonly says: string; readonly exitCode: 1 | 2 } {
  const isRefusal = isAudited && errno === 'EPERM';
  const reason = isRefusal ? 'was refused its start' : (reasons[errno] ?? `cannot be started (${errno})`);
  return { says: `${product.name}: "${printable(command)}" ${reason}\n`, exitCode: isRefusal ? 1 : 2 };
}
