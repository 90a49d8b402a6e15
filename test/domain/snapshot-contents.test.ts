import { expect, test } from 'vitest';
import { wantsOf } from '../../src/domain/snapshot/allowances.ts';
import { type Contents, carriedLines, notCarriedLines } from '../../src/domain/snapshot/contents.ts';
import type { ContainerSettings, TaskDefinition } from '../../src/domain/task.ts';
import { taskWith } from '../support/samples.ts';
import { recordWith } from './snapshot-document.ts';

const container: ContainerSettings = {
  command: [],
  pull: 'missing',
  network: 'bridge',
  writableRoot: false,
  capabilities: [],
  tmpfsSize: 65_536,
  allowNewPrivileges: false,
};
const image = { kind: 'docker', image: 'alpine:3', imageId: 'c'.repeat(64) } as const;
const program = { kind: 'process', path: '/bin/x', sha256: 'd'.repeat(64) } as const;

const docker = { runtime: 'docker', artifact: image, container } as const;
const process = { runtime: 'process', artifact: program } as const;

function contents(definition: Partial<TaskDefinition>, more: Partial<Contents> = {}): Contents {
  return {
    record: recordWith(),
    definition: taskWith(definition).definition,
    inputBytes: 3,
    variables: [],
    withEnvironment: false,
    withArtifact: false,
    leavesAttempt: true,
    ...more,
  };
}

test.each([
  [{}, 'the memory of attempt 1', 'runs it again', 'the bytes of its artifact'],
  [docker, 'the container of attempt 1', 'runs it again', 'its image alpine:3'],
  [
    process,
    'the process of attempt 1',
    'ends the execution with INTERRUPTED',
    'its program, which must be at /bin/x',
  ],
] as const)(
  'a running attempt is not carried, and what becomes of it is said: %#',
  (definition, what, next, artifact) => {
    const [attempt, code, ...more] = notCarriedLines(contents(definition));
    expect(attempt).toContain(what);
    expect(attempt).toContain(next);
    expect(code).toContain(artifact);
    expect(more).toEqual([]);
  },
);

test('the task decides what becomes of a lost attempt', () => {
  expect(notCarriedLines(contents({ ...process, onInterrupt: 'rerun' }))[0]).toContain('runs it again');
  expect(notCarriedLines(contents({ onInterrupt: 'fail' }))[0]).toContain('INTERRUPTED');
});

test('what is carried is not said to be missing', () => {
  const lines = notCarriedLines(contents({}, { withArtifact: true, leavesAttempt: false }));
  expect(lines).toEqual([]);
  expect(carriedLines(contents({}, { withArtifact: true }))).toContain('the bytes of its artifact');
});

test('values of environment variables are told of where there are variables, as carried or as not', () => {
  const told = (more: Partial<Contents>) => {
    const of = (lines: readonly string[]) => lines.filter((line) => line.includes('environment variables'));
    return [of(carriedLines(contents({}, more))), of(notCarriedLines(contents({}, more)))];
  };
  for (const withEnvironment of [true, false]) expect(told({ withEnvironment })).toEqual([[], []]);
  const variables = ['A', 'B'];
  expect(told({ variables })).toEqual([[], [expect.stringContaining('A, B')]]);
  expect(told({ variables, withEnvironment: true })).toEqual([
    ['the values of its environment variables'],
    [],
  ]);
});

test('what a task wants of its host is told by the allowance that it needs', () => {
  const wants = (definition: Partial<TaskDefinition>) => [...wantsOf(taskWith(definition).definition)];
  expect(wants({})).toEqual([]);
  expect(wants({ preopens: { '/a': '/b' } })).toEqual([['preopens', ['host folder /b as /a']]]);
  expect(wants({ ...process, user: 'root' })).toEqual([
    ['process', ['the process runtime']],
    ['privileges', ['user: root']],
  ]);
  expect(wants({ ...docker, allowNetwork: true })).toEqual([['network', ['network: bridge']]]);
  const loose = { ...container, writableRoot: true, capabilities: ['SYS_ADMIN'], allowNewPrivileges: true };
  expect(wants({ ...docker, container: loose })).toEqual([
    ['privileges', ['writable root file system', 'capability: SYS_ADMIN', 'new privileges']],
  ]);
});
