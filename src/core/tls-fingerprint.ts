// How a TLS library introduces itself: seen on the way out, compared between the runs of an attestation.

/** What JA4 is made of, unhashed, in the order in which it was sent; values that are there to be ignored (GREASE, RFC 8701) as `grease`. */
export interface TlsFingerprint {
  readonly version: string;
  readonly suites: readonly string[];
  readonly extensions: readonly string[];
  readonly groups: readonly string[];
  readonly signatures: readonly string[];
  readonly versions: readonly string[];
}
