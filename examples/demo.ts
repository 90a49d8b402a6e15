/**
 * `npm run demo`: a server of its own in a temporary folder, a few of the examples, and each way to invoke and end
 * them, through the public API alone. Exits with 0 only where all of it went as it should.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { readCall } from '../src/cli/call.ts';
import { durationText } from '../src/cli/duration.ts';
import { errorText, statusText } from '../src/cli/outcome.ts';
import { CommandOutput } from '../src/cli/output.ts';
import { Table } from '../src/cli/table.ts';
import { connect, type ServiceClient } from '../src/client/channel.ts';
import {
  ErrorCode,
  ExecutionMode,
  type ExecutionResult,
  ExecutionStatus,
  FunctionService,
} from '../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, TaskService } from '../src/server/gen/spearlet/task_pb.js';

type Functions = ServiceClient<typeof FunctionService>;
type Tasks = ServiceClient<typeof TaskService>;
const root = fileURLToPath(new URL('..', import.meta.url));
const artifacts = {
  wordcount: 'wordcount/wordcount.wasm',
  calc: 'typed/typed.wasm',
  ticker: 'ticker/ticker.wasm',
  loop: 'misbehaving/loop.wasm',
  exit: 'misbehaving/exit.wasm',
} as const;
const rows: string[][] = [];

function say(head: string, text: string): void {
  process.stdout.write(`${(head.padEnd(10) + text).trimEnd()}\n`);
}

/** Notes an execution for the table at the end; throws where it did not end as it should. */
function record(
  what: string,
  result: ExecutionResult | undefined,
  expected: keyof typeof ErrorCode | 'COMPLETED',
): ExecutionResult {
  if (result === undefined) throw new Error(`${what}: the answer has no result`);
  const ending = result.status === ExecutionStatus.COMPLETED ? 'COMPLETED' : ErrorCode[result.errorCode];
  rows.push([what, result.executionId, statusText(result.status), durationText(result.executionTimeMs)]);
  if (ending !== expected)
    throw new Error(`${what}: ended with ${errorText(result)}, and should with ${expected}`);
  return result;
}

function startServer(dataDir: string): ChildProcess & { readonly stdout: Readable } {
  const places = ['--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0', '--data-dir', dataDir];
  return spawn(join(root, 'bin/spear'), ['serve', ...places], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The addresses that the server tells when it is ready. */
async function ready(log: Readable): Promise<{ readonly grpcAddress: string; readonly httpAddress: string }> {
  for await (const line of createInterface({ input: log })) {
    const entry = JSON.parse(line) as { msg: string; grpcAddress: string; httpAddress: string };
    if (entry.msg !== 'ready') continue;
    log.resume();
    return entry;
  }
  throw new Error('the server did not start');
}

async function showSync(functions: Functions): Promise<void> {
  const input = await readFile(join(root, 'examples/README.md'));
  const { result } = await functions.invokeFunction({ task: 'wordcount', input });
  const counted = record('sync: wordcount', result, 'COMPLETED');
  say('sync', `the lines, words and bytes of examples/README.md: ${Buffer.from(counted.output)}`);
}

async function showTyped(functions: Functions, tasks: Tasks): Promise<void> {
  const calls = {
    'translate({x: 1.5, y: 2}, (10, 20))': '{"x":11.5,"y":22}',
    'area(rectangle((3, 4)))': '12',
  };
  for (const [wave, wanted] of Object.entries(calls)) {
    const call = await readCall({ tasks }, 'calc', wave, {});
    const { result } = await functions.invokeFunction({ task: 'calc', ...call });
    const value = String(Buffer.from(record(`typed: ${wave}`, result, 'COMPLETED').output));
    say('typed', `${wave} is ${value}`);
    if (value !== wanted) throw new Error(`${wave} should be ${wanted}`);
  }
}

async function showAsync(functions: Functions, httpAddress: string, token: string): Promise<void> {
  const request = { task: 'ticker', args: ['5', '150'], executionMode: ExecutionMode.ASYNC };
  const accepted = await functions.invokeFunction(request);
  const url = `http://${httpAddress}${accepted.statusEndpoint}`;
  say('async', `accepted; its status is at ${url}`);
  for (let before = '', done = false; !done; ) {
    const { result } = (await (
      await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    ).json()) as {
      result: { state: string; isCompleted: boolean };
    };
    if (result.state !== before) say('', result.state);
    ({ state: before, isCompleted: done } = result);
    if (!done) await sleep(100);
  }
  const { result } = await functions.getExecutionStatus({ executionId: accepted.executionId });
  record('async: ticker', result, 'COMPLETED');
}

async function showStream(functions: Functions): Promise<void> {
  say('stream', 'output as it comes:');
  const startedAt = performance.now();
  for await (const { event, sequence } of functions.streamFunction({ task: 'ticker', args: ['4', '200'] })) {
    const time = durationText(performance.now() - startedAt).padStart(7);
    if (event.case === 'transition') say('', `${time}  #${sequence}  ${event.value.to}`);
    if (event.case === 'chunk') say('', `${time}  #${sequence}  ${Buffer.from(event.value.data)}`);
    if (event.case === 'result') {
      say('', `${time}  #${sequence}  ${statusText(event.value.status)}`);
      record('stream: ticker', event.value, 'COMPLETED');
    }
  }
}

async function showCancel(functions: Functions): Promise<void> {
  const { executionId } = await functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  for await (const { event } of functions.watchExecution({ executionId })) {
    if (event.case === 'chunk') await functions.cancelExecution({ executionId, reason: 'the demo' });
  }
  const { result } = await functions.waitExecution({ executionId });
  const { termination } = record('cancel: an endless loop', result, 'CANCELLED');
  say('cancel', `an endless loop, gone ${termination?.tookMs} ms after it was asked to end`);
}

async function showTimeout(functions: Functions): Promise<void> {
  const { result } = await functions.invokeFunction({
    task: 'loop',
    timeouts: { total: durationFromMs(500) },
  });
  say('timeout', errorText(record('timeout: an endless loop', result, 'TOTAL_TIMEOUT')));
}

async function showFailure(functions: Functions): Promise<void> {
  const { result } = await functions.invokeFunction({ task: 'exit' });
  const { exitCode, output } = record('failure: exit 7', result, 'FUNCTION_EXIT');
  say('failure', `exit code ${exitCode}; it wrote ${JSON.stringify(String(Buffer.from(output)))}`);
  if (exitCode !== 7) throw new Error('the exit code should be 7');
}

async function show(functions: Functions, tasks: Tasks, httpAddress: string, token: string): Promise<void> {
  for (const [name, path] of Object.entries(artifacts)) {
    const value = await readFile(join(root, 'examples', path));
    const artifact = { source: { case: 'content' as const, value } };
    await tasks.registerTask({ definition: { name, runtime: RuntimeKind.WASM, artifact } });
  }
  say('register', `${Object.keys(artifacts).join(', ')}`);
  await showSync(functions);
  await showTyped(functions, tasks);
  await showAsync(functions, httpAddress, token);
  for (const part of [showStream, showCancel, showTimeout, showFailure]) await part(functions);
}

const dataDir = await mkdtemp(join(tmpdir(), 'spear-demo-'));
const server = startServer(dataDir);
const ended = once(server, 'exit');
// A Ctrl-C ends the server, and with it this, by way of the cleaning up below.
process.on('SIGINT', () => server.kill('SIGTERM'));
try {
  const { grpcAddress, httpAddress } = await ready(server.stdout);
  say('server', `gRPC on ${grpcAddress}, HTTP on ${httpAddress}`);
  // The administrator's, made at the first start; the `spear` command finds its way without one.
  const token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
  const connection = connect(grpcAddress, { token });
  await show(connection.service(FunctionService), connection.service(TaskService), httpAddress, token);
  connection.close();
} catch (error) {
  say('FAILED', error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  server.kill('SIGTERM');
  await ended;
  await rm(dataDir, { recursive: true, force: true });
}
say('', '');
await new Table(new CommandOutput(process.stdout), ['WHAT', 'EXECUTION', 'STATUS', 'TIME']).write(rows);
if (process.exitCode === undefined) {
  process.stdout.write(`
Next, in two terminals:
  ./bin/spear serve
  ./bin/spear task register wc --runtime wasm --artifact examples/wordcount/wordcount.wasm
  ./bin/spear invoke wc --input examples/README.md
  ./bin/spear list
examples/README.md has more functions; ./bin/spear --help the commands.
`);
}
