/**
 * A runtime of a node that is not root, which runs one script and tells what came of it, as JSON: `node user-node.ts
 * OPTIONS`. What it is started in, it cannot leave.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { RequestError } from '../../../src/domain/errors.ts';
import type { ProcessRuntimeOptions } from '../../../src/runtimes/process/runtime.ts';
import { LaunchError } from '../../../src/runtimes/runtime.ts';
import { attemptOf, Collected } from '../attempt.ts';
import { draftOf, launchOf, newNodeId, open, taskOf } from './fixtures.ts';

export interface UserNodeOptions {
  /** A script that is there. */
  readonly script: string;
  /** Scripts beside it that are run before, one after the other, with the same arguments. */
  readonly before?: readonly string[];
  /** What is renamed, and to what, before `script` is run. */
  readonly moved?: readonly (readonly [string, string])[];
  readonly runtime?: Partial<ProcessRuntimeOptions>;
  readonly workingDirectory?: string;
  readonly secret?: string;
  /** To be stopped at its first output. */
  readonly stop?: boolean;
  /** `NODE` stands for the process of the node. */
  readonly args?: readonly string[];
}

export interface UserNodeReport {
  readonly warnings: readonly string[];
  /** Why the task was refused, or its start. */
  readonly refused?: { readonly reason: string; readonly message: string };
  /** What those that ran before have written. */
  readonly before?: readonly string[];
  readonly outcome?: unknown;
  readonly output?: string;
  readonly errors?: string;
}

const options: UserNodeOptions = JSON.parse(process.argv[2] ?? '');
const warnings: string[] = [];
const warn = (details: object, message: string) =>
  warnings.push(`${message}: ${'reason' in details ? details.reason : ''}`);
const { workingDirectory = '', secret } = options;
const args = options.args?.map((arg) => (arg === 'NODE' ? String(process.pid) : arg)) ?? [];
const runtime = await open({ nodeId: newNodeId(), logger: { warn }, ...options.runtime });
const before: string[] = [];
for (const script of options.before ?? []) {
  const { output = '', errors = '' } = await told(script);
  before.push(output + errors);
}
for (const [from, to] of options.moved ?? []) renameSync(from, to);
const report: UserNodeReport = { ...(await told(options.script)), before };
await runtime.close();
writeFileSync(1, JSON.stringify(report));

async function told(script: string): Promise<UserNodeReport> {
  const draft = { ...taskOf(basename(script), script, ''), workingDirectory, args };
  try {
    const signal = new AbortController().signal;
    const artifact = await runtime.resolve(draftOf(draft, script), { signal, progress() {} });
    const task = { ...draft, artifact };
    await runtime.prepare(task);
    const values =
      secret === undefined
        ? []
        : [{ name: 'KEY', key: 'KEY', value: Buffer.from(secret), asVariable: false }];
    const attempt = attemptOf(task);
    const launch = { ...launchOf(attempt), secrets: { values, fingerprint: '' } };
    const instance = await runtime.launch(launch, signal);
    const io = new Collected();
    const stopping = new AbortController();
    if (options.stop) void io.first.then(() => stopping.abort());
    const outcome = await instance.serve(attempt, io, stopping.signal);
    return { warnings, outcome, output: io.of('stdout').toString(), errors: io.of('stderr').toString() };
  } catch (error) {
    if (error instanceof LaunchError) {
      return { warnings, refused: { reason: error.code, message: error.message } };
    }
    if (!(error instanceof RequestError)) throw error;
    return { warnings, refused: { reason: error.reason, message: error.message } };
  }
}
