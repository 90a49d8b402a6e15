import { expect, test } from 'vitest';
import { printableJson, printableLines } from '../../src/cli/printable.ts';
import { note } from '../../src/cli/shell.ts';
import { account, Table } from '../../src/cli/table.ts';

const hostile = 'a\u001b[2J\u001b]0;title\u0007b\u009b31mc\u202ed\r\ne';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

class Written {
  text = '';
  readonly isTerminal = false;
  readonly columns = 80;
  async write(data: string): Promise<void> {
    this.text += data;
  }
}

test('what others named reaches no terminal as a command, in an account', () => {
  const text = account([['name', hostile]]);
  expect(text).not.toMatch(obeyed);
  expect(text).toBe('name  a [2J ]0;title b 31mc d e\n');
});

test('what others named reaches no terminal as a command, in a table', async () => {
  const out = new Written();
  await new Table(out as never, ['NAME']).write([[hostile]]);
  expect(out.text).not.toMatch(obeyed);
});

test('what others named reaches no terminal as a command, in a line of ours, which keeps its colours', async () => {
  const err = new Written();
  await note({ err: err as never }, hostile, (plain) => `<red>${plain}</red>`);
  expect(err.text).not.toMatch(obeyed);
  expect(err.text).toMatch(/^spear: <red>a .* e<\/red>\n$/);
});

test('lines of others keep their breaks and nothing else that a terminal obeys', () => {
  expect(printableLines('  package a;\n\tb\u001b[2J\u0085c\r\n')).toBe('  package a;\n\tb [2J c \n');
});

test('JSON has what a terminal would obey as escapes, and is the same JSON', () => {
  const json = JSON.stringify({ [hostile]: [hostile, '\u{e0001}'] }, null, 2);
  const printed = printableJson(json);
  expect(printed).not.toMatch(obeyed);
  expect(JSON.parse(printed)).toEqual(JSON.parse(json));
});
