/** The commands of documents that `documents.test.ts` does not run. A new one is a decision, so that each stands here. */

/** Documents whose commands another test runs. */
export const walkedElsewhere: Readonly<Record<string, string>> = {
  'README.md': 'test/docs/readme.test.ts',
  'docs/cache.md': 'test/docs/cache.test.ts',
  'docs/clients.md': 'test/docs/clients.test.ts',
  'docs/dependencies.md': 'test/docs/dependencies.test.ts',
  'docs/http.md': 'test/docs/http.test.ts',
  'docs/rerun.md': 'test/docs/rerun.test.ts',
  'docs/revisions.md': 'test/docs/revisions.test.ts',
  'docs/scheduling.md': 'test/docs/scheduling.test.ts',
  'docs/supervision.md': 'test/docs/supervision.test.ts',
  'docs/webhooks.md': 'test/docs/webhooks.test.ts',
};

/** How many blocks of each document are not run, by the reason that stands before them. */
export const notRun: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'CONTRIBUTING.md': { 'fetches packages': 1, 'another test runs it (test/scripts/dev.test.ts)': 1 },
  'bench/README.md': { 'takes minutes': 1 },
  'clients/python/README.md': { 'fetches packages': 1 },
  'docs/cluster.md': {
    'fetches packages, and wants a PostgreSQL': 1,
    'wants a PostgreSQL and several machines': 1,
    'wants several machines': 1,
  },
  'docs/guides/c.md': { 'fetches packages': 1 },
  'docs/guides/go.md': { 'wants Go 1.21': 1 },
  'docs/guides/proxy.md': { 'runs in another terminal': 1 },
  'docs/guides/python.md': { 'fetches packages': 1 },
  'docs/guides/rust.md': { 'fetches packages': 1, 'wants rustup': 1 },
  'docs/guides/slow.md': { 'runs in another terminal': 2 },
  'docs/install.md': {
    'another test runs it (npm run check:package)': 1,
    'another test runs it (npm run check:image)': 2,
    'wants systemd, and root': 1,
    'wants docker compose, and fetches images': 1,
    'wants a cluster': 1,
  },
  'docs/security.md': { 'wants an issuer of tokens': 1 },
  'examples/README.md': { 'another test runs it (.ci/run)': 1 },
};

/** Pictures of a terminal, with what a node said at another time: how many of each document. */
export const pictures: Readonly<Record<string, number>> = {
  'docs/scheduling.md': 2,
  'docs/visualizer.md': 1,
};
