/**
 * Prints what failed, and `N passed, N failed` of all together, from vitest's JSON reports. A skipped test, or a report
 * without any, is a failure here.
 */
import { readFile } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
}

/** Of one failure, from its beginning. */
const mostCharacters = 3000;

const files = process.argv.slice(2);
if (files.length === 0) throw new Error('usage: count-tests.ts REPORT.json ...');
const reports = await Promise.all(
  files.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as Report),
);
for (const { testResults } of reports) {
  for (const { name, status, message, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    for (const { fullName, failureMessages } of failed)
      tell(name, fullName, (failureMessages ?? []).join('\n'));
    // A file that cannot be loaded has no test that failed.
    if (status === 'failed' && failed.length === 0) tell(name, 'the file itself', message);
  }
}
const sum = (count: (report: Report) => number) => reports.reduce((all, report) => all + count(report), 0);
const [passed, failed] = [sum((report) => report.numPassedTests), sum((report) => report.numFailedTests)];
const skipped = sum((report) => report.numPendingTests + report.numTodoTests);
if (skipped > 0) console.error(`${skipped} tests were skipped; none may be`);
console.log(`${passed} passed, ${failed} failed`);
const isEmpty = reports.some((report) => report.numPassedTests + report.numFailedTests === 0);
process.exitCode = failed > 0 || skipped > 0 || isEmpty ? 1 : 0;

function tell(file: string, test: string, why: string): void {
  console.log(`FAILED ${file}: ${test}\n${stripVTControlCharacters(why).slice(0, mostCharacters)}\n`);
}
