// A failure of the file system in words for a person, as `diff` and `apply` print it beside a name.
import { fileReasons } from '../../core/index.ts';

export function whyNot(fault: unknown): string {
  const code = fault instanceof Error && 'code' in fault ? String(fault.code) : '';
  return fileReasons[code] ?? (code === '' ? 'for a reason that the system does not tell' : `the system calls it ${code}`);
}
