/** Settles as `promise` does, or resolves with `otherwise` as soon as the signal ends the wait. */
export function untilAborted<T, Otherwise>(
  promise: Promise<T>,
  signal: AbortSignal,
  otherwise: Otherwise,
): Promise<T | Otherwise> {
  const { promise: over, resolve, reject } = Promise.withResolvers<T | Otherwise>();
  const abort = (): void => resolve(otherwise);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  return over;
}
