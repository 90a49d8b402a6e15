/** Certificates that callers show. */

export interface ShownCertificate {
  /** SHA-256, as openssl writes it. */
  readonly fingerprint: string;
  /** Its alternative names: `URI:spiffe://a/b`, `DNS:a.example`. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Why the authorities that the node knows do not stand for it; absent where one does. */
  readonly untrusted?: string;
}
