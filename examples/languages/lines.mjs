// Numbers the lines of its standard input, and says on stderr how many there were.
import { createInterface } from 'node:readline';

let count = 0;
for await (const line of createInterface({ input: process.stdin })) {
  count += 1;
  process.stdout.write(`${count}\t${line}\n`);
}
process.stderr.write(`${count} lines\n`);
