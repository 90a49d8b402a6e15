/** The configuration file of a server: what it may say, and what it is told where it says something else. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { namedConfigFile, readConfigFile } from '../../src/config/file.ts';
import { type Option, shownText } from '../../src/config/option.ts';
import { optionNames, retiredOptions as retired } from '../../src/config/options.ts';
import { configSchema } from '../../src/config/schema.ts';
import { type NodeConfig, resolveConfig, retiredOptions } from '../../src/config.ts';
import { snakeCase } from '../../src/domain/schema/form.ts';

const folder = mkdtempSync(join(tmpdir(), 'spear-config-'));
const path = join(folder, 'spear.yaml');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(text: string): string {
  writeFileSync(path, text);
  return path;
}

function resolved(text: string, flags = {}, env = {}): NodeConfig {
  return resolveConfig(flags, env, readConfigFile(written(text)));
}

function refusal(text: string, flags = {}, env = {}): string {
  try {
    resolved(text, flags, env);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing is wrong';
}

/** Each list has the one before nine times. */
const bomb = ['http_host:', '- &a [x,x,x,x,x,x,x,x,x]']
  .concat([...'bcde'].map((name, at) => `- &${name} [${Array(9).fill(`*${'abcd'[at]}`).join()}]`))
  .join('\n');
const many = `image_registry: [&a [b, b, b, b, b, b], ${Array(200).fill('*a').join()}]\n`;

describe('a configuration file', () => {
  test('says sizes, durations, lists and numbers by name as people write them', () => {
    const config = resolved(`
# a comment
slots: 3
retain_for: 7d
retain_bytes: 1.5GiB
max_memory: 4096000
guest_memory: auto
max_cpu: 1.5
http_host:
  - spear.example
  - spear.example:8443
image_registry: registry.example
restore_allow: [preopens, network]
priority_weights: { low: 2, urgent: 100 }
tls_self_signed: true
anonymous_role: observe
`);
    expect(config).toMatchObject({
      slots: 3,
      retainFor: 7 * 86_400_000,
      retainBytes: 1.5 * 2 ** 30,
      maxMemory: 4_096_000,
      maxCpu: 1.5,
      httpHost: ['spear.example', 'spear.example:8443'],
      imageRegistry: ['registry.example'],
      restoreAllow: ['preopens', 'network'],
      priorityWeights: { low: 2, normal: 4, high: 16, urgent: 100 },
      tlsSelfSigned: true,
      anonymousRole: 'observe',
    });
    expect(config.guestMemory).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  test('names files and folders relative to itself, and leaves URLs alone', () => {
    const config = resolved(`
data_dir: data
tls_cert: cert.pem
tls_key: /etc/key.pem
trusted_key: [a.pem, ../b.pem]
jwt_jwks: https://issuer.example/keys
jwt_issuer: issuer
jwt_audience: spear
`);
    expect(config).toMatchObject({
      dataDir: join(folder, 'data'),
      tlsCert: join(folder, 'cert.pem'),
      tlsKey: '/etc/key.pem',
      trustedKey: [join(folder, 'a.pem'), join(folder, '../b.pem')],
      jwtJwks: 'https://issuer.example/keys',
    });
  });

  test('is beaten by the environment, and that by a flag', () => {
    const text = 'slots: 1\nqueue_limit: 1\ndrain_ms: 1\ndocker_host: tcp://engine:1\n';
    const env = { SPEAR_QUEUE_LIMIT: '2', SPEAR_DRAIN_MS: '2', DOCKER_HOST: 'tcp://engine:2' };
    expect(resolved(text, { drainMs: '3' }, env)).toMatchObject({
      slots: 1,
      queueLimit: 2,
      drainMs: 3,
      dockerHost: 'tcp://engine:1',
    });
  });

  test('may be JSON, and may be empty', () => {
    expect(resolved('{"slots": 5, "http_host": ["a.example"]}')).toMatchObject({
      slots: 5,
      httpHost: ['a.example'],
    });
    expect(resolved('')).toEqual(resolveConfig({}, {}));
    expect(resolved('# nothing\n')).toEqual(resolveConfig({}, {}));
  });

  test.each([
    [
      'an unknown key',
      'slots: 1\nqueue_limt: 3\n',
      ':2: queue_limt: is not known; did you mean queue_limit?',
    ],
    ['a key like its flag', 'queue-limit: 3\n', ':1: queue-limit: is not known; did you mean queue_limit?'],
    ['a key in camelCase', 'queueLimit: 3\n', ':1: queueLimit: is not known; did you mean queue_limit?'],
    ['a key that is nothing like any', 'colour: red\n', ':1: colour: is not known; spear config schema'],
    [
      'a text for a number',
      'slots: many\n',
      ':1: slots: is "many"; allowed is a whole number from 1 to 10000',
    ],
    ['a number beyond its bounds', '\nslots: 0\n', ':2: slots: is "0"; allowed is a whole number from 1'],
    [
      'a duration without a unit',
      'retain_for: 24\n',
      ':1: retain_for: is "24"; allowed is a duration such as',
    ],
    [
      'a size that is none',
      'max_memory: much\n',
      ':1: max_memory: is "much"; allowed is a whole number of bytes',
    ],
    ['auto where it means nothing', 'max_memory: auto\n', ':1: max_memory: is "auto"; allowed is'],
    ['a list for one value', 'slots: [1, 2]\n', ':1: slots: is a list; allowed is 1 to 10000'],
    [
      'a mapping for a list',
      'http_host: { a: b }\n',
      ':1: http_host: is a mapping; allowed is a list of name',
    ],
    ['nothing for a value', 'slots:\n', ':1: slots: is empty; allowed is 1 to 10000'],
    [
      'an item with commas',
      'http_host: ["a,b"]\n',
      ':1: http_host[0]: is "a,b"; allowed is a text without ","',
    ],
    ['an item that is not allowed', 'restore_allow: [all]\n', ':1: restore_allow: has "all"; allowed are'],
    ['yes for true', 'tls_self_signed: yes\n', ':1: tls_self_signed: is "yes"; allowed are true and false'],
    ['a level that is none', 'log_level: loud\n', ':1: log_level: is "loud"; allowed are trace'],
    ['a key twice', 'slots: 1\nslots: 2\n', ':2: has a key that is there already'],
    ['a list for the document', '- slots\n', ': is no mapping; allowed is KEY: VALUE in each line'],
    ['several documents', 'slots: 1\n---\nslots: 2\n', ':2: has several documents; allowed is one'],
    ['an alias of nothing', 'data_dir: x\nslots: *none\n', ':2: has *none, which nothing is named'],
    ['an alias within itself', 'priority_weights: &a { low: *a }\n', ':1: has *a within what it stands for'],
    ['aliases that stand for very much', bomb, ':6: has *d, which stands for more than 1000 values'],
    ['many aliases of the same', many, ':1: has aliases that stand for more than 1000 values'],
    [
      'a tag of its own',
      'data_dir: x\nslots: !node 3\n',
      ':2: has a tag (Unresolved tag: !node); allowed are none',
    ],
    [
      'a tag of YAML',
      'slots: !!binary Mw==\n',
      ':1: has the tag "tag:yaml.org,2002:binary"; allowed are none',
    ],
    ['another YAML', '%YAML 1.1\n---\nslots: 3\n', ':1: has %YAML 1.1; allowed is 1.2'],
    ['a YAML that is none', '%YAML 3.0\n---\nslots: 3\n', ':1: has a directive that is not known'],
    ['lists in lists without end', `slots: ${'['.repeat(9000)}${']'.repeat(9000)}\n`, ':1: is '],
    [
      'a name that would be several',
      'priority_weights: { "low=5,urgent": 3 }\n',
      ':1: priority_weights: has "low=5,urgent"; allowed is NAME: NUMBER',
    ],
    ['what is no YAML', 'slots: [1\n', ':2: is not YAML or JSON:'],
  ])('with %s is refused, and told where', (_what, text, told) => {
    expect(refusal(text)).toContain(`${path}${told}`);
  });

  test('is not blamed for what the environment says', () => {
    expect(refusal('slots: 1\n', {}, { SPEAR_SLOTS: 'many' })).toContain(
      '--slots (from SPEAR_SLOTS): is "many"',
    );
  });

  test('that is not there is told by its name', () => {
    expect(() => namedConfigFile({ config: join(folder, 'none.yaml') }, {})).toThrow(
      /^--config: is ".*none\.yaml", which cannot be read/,
    );
    expect(namedConfigFile({}, { SPEAR_CONFIG: '' })).toBeUndefined();
    expect(namedConfigFile({}, { SPEAR_CONFIG: written('slots: 2') })?.path).toBe(path);
  });

  test('that is no file, or too large for one, is refused and not waited for', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(() => readConfigFile(pipe)).toThrow('it is a pipe; allowed is a file');
    expect(() => readConfigFile('/dev/zero')).toThrow('it is a device; allowed is a file');
    expect(() => readConfigFile(folder)).toThrow('it is a folder; allowed is a file');
    expect(() => readConfigFile(written(`# ${'x'.repeat(4 * 1024 * 1024)}`))).toThrow('allowed are 4194304');
  });

  test('may have an option that does nothing any more, which is told', () => {
    const file = readConfigFile(written('allow_ui_actions: true\nslots: 1\n'));
    expect(resolveConfig({}, {}, file).slots).toBe(1);
    expect(retiredOptions({}, {}, file)).toEqual([
      `allow_ui_actions in ${path} does nothing any more: ${retired.allowUiActions}`,
    ]);
  });
});

test('a variable of the environment may have units as a flag has', () => {
  const env = { SPEAR_RETAIN_FOR: '7d', SPEAR_MAX_REQUEST_BYTES: '16MiB', SPEAR_RETAIN_BYTES: '2000000' };
  expect(resolveConfig({}, env)).toMatchObject({
    retainFor: 7 * 86_400_000,
    maxRequestBytes: 16 * 2 ** 20,
    retainBytes: 2_000_000,
  });
});

test('the schema has each option, and no other key', () => {
  const { properties, additionalProperties } = configSchema();
  const known = [...optionNames, ...Object.keys(retired)].map(snakeCase);
  expect(Object.keys(properties as object).sort()).toEqual(known.sort());
  expect(additionalProperties).toBe(false);
});

test('the file in docs/configuration.md is good', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/configuration.md', import.meta.url)), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  expect(refusal(example)).toBe('nothing is wrong');
  expect(readConfigFile(written(example)).values.size).toBeGreaterThan(8);
});

test('what is secret is not shown', () => {
  const secret: Option = { value: { kind: 'text', placeholder: 'text' }, about: 'a header', secret: true };
  expect([shownText(secret, 'authorization=abc'), shownText(secret, '')]).toEqual(['***', '']);
});
