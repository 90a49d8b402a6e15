/** An issuer of tokens (JWT), by node:crypto alone, so that what checks them is not what makes them. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface IssuedKey {
  readonly id: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export type Claims = Readonly<Record<string, unknown>>;

export const issuerName = 'https://issuer.example';
export const audience = 'spear';

export function newKey(id: string): IssuedKey {
  return { id, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

/** The text of a JWK set. */
export function keySet(...keys: readonly IssuedKey[]): string {
  return JSON.stringify({
    keys: keys.map(({ id, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      ...{ kid: id, alg: 'ES256', use: 'sig' },
    })),
  });
}

/** Claims of one who may invoke, for an hour from now. */
export function usualClaims(now = Date.now()): Claims {
  return {
    ...{ iss: issuerName, aud: audience, sub: 'ada', exp: Math.floor(now / 1000) + 3600 },
    ...{ spear_tenant: 'default', spear_role: 'invoke', spear_tasks: ['*'] },
  };
}

export function signed({ id, privateKey }: IssuedKey, claims: Claims, header: Claims = {}): string {
  const body = unsigned({ alg: 'ES256', kid: id, typ: 'JWT', ...header }, claims);
  const signature = sign('sha256', Buffer.from(body), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}

/** As whoever takes the public key for a secret of both sides would check it. */
export function signedWithPublicKey({ id, publicKey }: IssuedKey, claims: Claims): string {
  const body = unsigned({ alg: 'HS256', kid: id, typ: 'JWT' }, claims);
  const secret = publicKey.export({ format: 'pem', type: 'spki' });
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

export function unsigned(header: Claims, claims: Claims): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}`;
}
