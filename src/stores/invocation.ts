import type { Invocation } from '../domain/execution.ts';

/** What an execution was asked where its caller said nothing. A fresh object with each call. */
export function emptyInvocation(): Invocation {
  return {
    functionName: '',
    parameters: {},
    input: new Uint8Array(),
    contentType: '',
    args: [],
    environment: {},
    forceNewInstance: false,
  };
}

/** True for an invocation that need not be stored, because `emptyInvocation` equals it. */
export function isEmptyInvocation(invocation: Invocation): boolean {
  return (
    invocation.functionName === '' &&
    invocation.contentType === '' &&
    !invocation.forceNewInstance &&
    invocation.input.byteLength === 0 &&
    invocation.args.length === 0 &&
    hasNoKeys(invocation.parameters) &&
    hasNoKeys(invocation.environment)
  );
}

function hasNoKeys(record: Readonly<Record<string, unknown>>): boolean {
  for (const key in record) if (Object.hasOwn(record, key)) return false;
  return true;
}
