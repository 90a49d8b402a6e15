/** Prints `N passed, N failed` from vitest's JSON report. A skipped test, or none at all, is a failure here. */
import { readFile } from 'node:fs/promises';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: count-tests.ts REPORT.json');
const report = JSON.parse(await readFile(file, 'utf8')) as Report;
const skipped = report.numPendingTests + report.numTodoTests;
if (skipped > 0) console.error(`${skipped} tests were skipped; none may be`);
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed`);
process.exitCode = report.numFailedTests > 0 || skipped > 0 || report.numPassedTests === 0 ? 1 : 0;
