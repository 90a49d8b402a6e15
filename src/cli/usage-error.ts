/** What the user wrote cannot be done. The message names the flag or field and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
