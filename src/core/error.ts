// Faults: something is broken, as opposed to a refusal, where policy said no (see decision.ts).

/** Every fault code with what it means to a person and the exit code of the command line. One table, so that no code is explained twice. */
export const faults = {
  CONFIG_INVALID: { exit: 2, says: 'the configuration is not valid' },
  CONFIG_NOT_FOUND: { exit: 2, says: 'a file that the command needs is missing' },
  USAGE: { exit: 2, says: 'the command was called wrongly' },
  POLICY_INVALID: { exit: 2, says: 'a policy does not validate' },
  POLICY_EVALUATION: { exit: 1, says: 'a policy failed to evaluate' },
  SANDBOX_UNAVAILABLE: { exit: 3, says: 'this machine cannot enforce the sandbox' },
  SANDBOX_SETUP: { exit: 3, says: 'the sandbox could not be set up' },
  DAEMON_UNREACHABLE: { exit: 3, says: 'the daemon could not be reached' },
  SESSION_UNKNOWN: { exit: 3, says: 'the session is not known to the daemon' },
  SESSION_HALTED: { exit: 1, says: 'the session was halted' },
  INSPECT_FAILED: { exit: 1, says: 'the payload could not be inspected' },
  INDEX_BROKEN: { exit: 3, says: "the index of the company's own source cannot be used, and nothing is let out without it" },
  INSPECT_LIMIT: { exit: 1, says: 'the payload is too large or too deep to inspect' },
  DIALECT_UNKNOWN: { exit: 1, says: 'the call is in no known dialect' },
  DIALECT_INVALID: { exit: 1, says: 'the call does not parse in its dialect' },
  DIALECT_LOSSY: { exit: 1, says: 'a translation would lose something that matters' },
  UPSTREAM_UNREACHABLE: { exit: 1, says: 'the upstream could not be reached' },
  UPSTREAM_PROTOCOL: { exit: 1, says: 'the upstream broke its protocol' },
  CREDENTIAL_MISUSED: { exit: 1, says: 'a placeholder was sent to a destination that is not its own' },
  LEDGER_APPEND: { exit: 3, says: 'the decision could not be recorded' },
  LEDGER_CORRUPT: { exit: 1, says: 'the ledger does not verify' },
  INTERNAL: { exit: 70, says: 'this is a bug in the product' },
} as const satisfies Record<string, { exit: number; says: string }>;

export type Code = keyof typeof faults;

export class IntramurError extends Error {
  override readonly name = 'IntramurError';
  readonly code: Code;
  /** What the reader can do about it, as one line. */
  readonly hint: string | undefined;

  constructor(code: Code, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** The code of a fault of ours; `undefined` for anything else that was thrown. */
export function codeOf(fault: unknown): Code | undefined {
  return fault instanceof IntramurError ? fault.code : undefined;
}
