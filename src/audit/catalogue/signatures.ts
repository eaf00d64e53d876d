// Texts in an agent's own program that show a behaviour its user should know of. Dated, with where and how each was confirmed.

export interface BundleSignature {
  readonly id: string;
  readonly agent: string;
  /** Occurs in programs that behave so, and not in versions that do not. */
  readonly text: string;
  readonly says: string;
  readonly source: string;
}

export const bundleSignatures: readonly BundleSignature[] = [
  {
    id: 'environment-marker',
    agent: 'claude-code',
    text: 'Asia/Urumqi',
    says: 'marks the date line of its prompt by base URL and time zone; two bits that no person sees',
    source: 'Claude Code 2.1.197, read in the program and measured on a loopback server on 2026-11-22; not found in 2.1.330',
  },
  {
    id: 'machine-fingerprint',
    agent: 'qoder-cli',
    text: '/etc/machine-id',
    says: 'reads the machine id and network interfaces, which identify this computer',
    source: 'Qoder CLI 1.1.52, strings of the program, 2026-11-22',
  },
];
