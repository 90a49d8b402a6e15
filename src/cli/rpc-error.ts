/** What a failed call means to the user: one line and an exit code. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { type RpcDetails, readDetails } from '../client/rpc-details.ts';
import { defaultGrpcAddress as defaultAddress, splitAddress } from '../config.ts';
import { durationText } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import { handshakeText } from './handshake-words.ts';

interface Explanation {
  /** One line, without the program's name. */
  readonly message: string;
  readonly exitCode: number;
}

/** `address` is where the call went. */
export function explain(error: ServiceError, address: string): Explanation {
  const details = readDetails(error);
  const exitCode = exitCodeOf(error, details);
  if (exitCode === exitCodes.unreachable.code) {
    const handshake = handshakeText(error.details, address);
    if (handshake !== undefined) return { message: handshake, exitCode };
    return {
      message: `cannot reach the server at ${address}: ${connectionText(error.details)}; is it running? (${serveCommand(address)})`,
      exitCode,
    };
  }
  if (error.code === status.RESOURCE_EXHAUSTED && isTooLarge(details)) {
    const hint = 'a server takes larger ones with --max-request-bytes';
    return { message: `the request is too large: ${oneLine(error.details)}; ${hint}`, exitCode };
  }
  const { retryAfterMs, metadata } = details;
  const oldestSequence = metadata.oldest_sequence;
  const again = retryAfterMs === undefined ? '' : `; try again in ${durationText(retryAfterMs)}`;
  const rest =
    oldestSequence === undefined ? '' : `; what is left can be watched with --from ${oldestSequence}`;
  return { message: oneLine(describe(error, details) + again + rest), exitCode };
}

/** What would start one there; elsewhere than on this machine's loopback, that is not ours to say. */
function serveCommand(addresses: string): string {
  const [address = ''] = addresses.split(',');
  const { host } = splitAddress('--address', address);
  const isHere = host === 'localhost' || host === '::1' || host.startsWith('127.');
  if (!isHere) return 'spear serve, on that machine';
  return address === defaultAddress ? 'spear serve' : `spear serve --grpc-address ${address}`;
}

/** Ours says so; without details it is grpc-js's own check of the size. */
function isTooLarge({ reason }: RpcDetails): boolean {
  return reason === undefined || reason === 'REQUEST_TOO_LARGE';
}

/** Every field that was wrong. The status message names the first of them only. */
function describe(error: ServiceError, { violations }: RpcDetails): string {
  if (violations.length < 2) return error.details || status[error.code];
  return violations.map(({ field, description }) => `${field}: ${description}`).join('; ');
}

/** grpc-js's text without what is around its cause. */
function connectionText(details: string): string {
  return oneLine(
    details.replace(/^No connection established\. Last error: (?:Error: )?|\. Resolution note: *$/g, ''),
  );
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}

function exitCodeOf({ code }: ServiceError, { reason, retryAfterMs }: RpcDetails): number {
  switch (code) {
    case status.NOT_FOUND:
      return exitCodes.unknown.code;
    case status.UNAVAILABLE:
      // Ours says why; grpc-js's own means that there was no answer at all.
      return reason === undefined || reason === 'TLS_NEEDED'
        ? exitCodes.unreachable.code
        : exitCodes.refused.code;
    case status.RESOURCE_EXHAUSTED:
      // What never fits is not worth another try.
      return retryAfterMs === undefined ? exitCodes.usage.code : exitCodes.refused.code;
    case status.DEADLINE_EXCEEDED:
    case status.ABORTED:
      return exitCodes.refused.code;
    case status.CANCELLED:
      return exitCodes.cancelled.code;
    case status.INVALID_ARGUMENT:
    case status.OUT_OF_RANGE:
    case status.ALREADY_EXISTS:
    case status.FAILED_PRECONDITION:
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return exitCodes.usage.code;
    default:
      return exitCodes.platform.code;
  }
}
