/** RequestError → the error of Connect (https://connectrpc.com/docs/protocol#error-end-stream). */
import { toBinary, toJson } from '@bufbuild/protobuf';
import type { RequestError, RequestErrorKind } from '../../domain/errors.ts';
import { httpCodes } from '../http-answer.ts';
import { errorDetails, safeText } from '../status.ts';

/** The protocol has a status for each code; the page's own are older. */
export const connectHttpCodes: Readonly<Record<RequestErrorKind, number>> = {
  ...httpCodes,
  failed_precondition: 400,
};

/** Its details are those of gRPC, each also as JSON for people. */
export function connectError(error: RequestError) {
  return {
    code: error.kind === 'cancelled' ? 'canceled' : error.kind,
    message: safeText(error.message),
    details: errorDetails(error).map(({ desc, message }) => ({
      type: desc.typeName,
      // As the protocol has it, without padding.
      value: Buffer.from(toBinary(desc, message)).toString('base64').replace(/=+$/, ''),
      debug: toJson(desc, message),
    })),
  };
}
