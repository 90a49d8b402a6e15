/** What a task says of a secret: `KEY`, or `env:KEY` for a variable where its runtime would make a file of it. */
export interface SecretReference {
  readonly key: string;
  readonly asVariable: boolean;
}

const variablePrefix = 'env:';

/** Where a container finds its secrets. */
export const secretsFolder = '/run/secrets';

/** Names the folder of an instance's secrets in its environment. */
export const secretsVariable = 'SPEAR_SECRETS';

export function parseSecret(text: string): SecretReference {
  const asVariable = text.startsWith(variablePrefix);
  return { key: asVariable ? text.slice(variablePrefix.length) : text, asVariable };
}

/** Whether a task has secrets that its runtime makes files of. */
export function hasSecretFiles(secrets: Readonly<Record<string, string>> = {}): boolean {
  return Object.values(secrets).some((text) => !parseSecret(text).asVariable);
}
