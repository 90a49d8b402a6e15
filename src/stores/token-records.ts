/** Tokens as their file has them. */
import { isRole } from '../domain/access.ts';
import { isTenant } from '../domain/scope.ts';
import type { TokenFacts } from '../domain/tokens.ts';

export const tokensFile = 'tokens.json';

export type Kept = TokenFacts & {
  /** Absent where certificates stand for it. */
  readonly sha256?: string;
};

export function factsOf({ sha256: _sha256, ...facts }: Kept): TokenFacts {
  return facts;
}

/** The JSON text that `keptFrom` reads. */
export function keptText(tokens: readonly Kept[]): string {
  return `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`;
}

/** Throws where the text is not what this file writes. */
export function keptFrom(text: string): Kept[] {
  const value: unknown = JSON.parse(text);
  const { version, tokens } = (value ?? {}) as { readonly version?: unknown; readonly tokens?: unknown };
  if (version !== 1 || !Array.isArray(tokens)) throw new Error(`${tokensFile} is not one of this version`);
  return tokens.map((each: unknown) => {
    const { name, role, sha256, tenant, tasks, ...rest } = (each ?? {}) as Record<string, unknown>;
    const { execution, createdAt, expiresAt, lastUsedAt, certificateNames, revokedFingerprints } = rest;
    const { allTenants } = rest;
    const isHash = typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256);
    const instants = [createdAt, expiresAt ?? 0, lastUsedAt ?? 0];
    if (
      typeof name !== 'string' ||
      typeof role !== 'string' ||
      !isRole(role) ||
      !isTenantOrNone(tenant) ||
      !areGlobsOrNone(tasks) ||
      !(allTenants === undefined || (allTenants === true && role === 'observe')) ||
      !(execution === undefined || typeof execution === 'string') ||
      !(sha256 === undefined ? isTexts(certificateNames) : isHash && certificateNames === undefined) ||
      !(revokedFingerprints === undefined || isTexts(revokedFingerprints)) ||
      !instants.every((at) => typeof at === 'number' && Number.isSafeInteger(at))
    ) {
      throw new Error(`${tokensFile} has a token that is none of this version`);
    }
    return each as Kept;
  });
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/** One that cannot be read must not become one for more than it was made for. */
function isTenantOrNone(tenant: unknown): boolean {
  return tenant === undefined || (typeof tenant === 'string' && isTenant(tenant));
}

function areGlobsOrNone(tasks: unknown): boolean {
  if (tasks === undefined) return true;
  return Array.isArray(tasks) && tasks.length > 0 && tasks.every((glob) => typeof glob === 'string');
}
