import { type RequestOptions, request } from 'node:https';

/** The status of the answer to a GET; `options` are those of TLS, and headers. */
export function getOver(url: string, options: RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent: false, ...options }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    call.on('error', reject);
    call.end();
  });
}
