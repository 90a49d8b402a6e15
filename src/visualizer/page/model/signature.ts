/** Who signed a snapshot document. */
export interface Signature {
  /**
   * `valid` is the holder of the key: whether that key is to be trusted, the document cannot say. `broken` is not of the
   * key, or not of this document. `not checked` is what the browser cannot check.
   */
  readonly verdict: 'unsigned' | 'valid' | 'broken' | 'not checked';
  /** Base64 of its DER, as the document has it; empty where nobody signed. */
  readonly publicKey: string;
  /** Hex SHA-256 of the key, as `signed_by` tells it; empty where it could not be made. */
  readonly keyId: string;
}
