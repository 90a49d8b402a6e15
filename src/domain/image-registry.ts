/** The registry that an engine asks where a reference names none, and by another of its names. */
const hub = 'docker.io';
const hubNames: readonly string[] = [hub, 'index.docker.io'];

/**
 * HOST or HOST:PORT that an engine asks for an image, in lower case. The rule is that of splitDockerDomain in
 * github.com/distribution/reference: capitals, too, make the first part a host.
 */
export function registryOf(image: string): string {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(0, slash));
  const isHost = /[.:A-Z]/.test(first) || first === 'localhost';
  if (!isHost || hubNames.includes(first.toLowerCase())) return hub;
  return first.toLowerCase();
}

/** Whether it is Docker Hub or one of those that are listed. */
export function isKnownRegistry(registry: string, listed: readonly string[]): boolean {
  return registry === hub || listed.includes(registry);
}
