import { describe, expect, it } from 'vitest';
import {
  fieldsOf,
  parseArgs,
  parseEnvironment,
  parseParameters,
  signatureOf,
} from '../../../src/visualizer/page/actions/rerun-form.ts';
import type { Invocation } from '../../../src/visualizer/page/model/invocation.ts';

const asked: Invocation = {
  functionName: 'add',
  parameters: { a: '9007199254740993', b: [1, 2] },
  input: new Uint8Array(),
  inputBytes: 0,
  contentType: '',
  args: ['--quality', '85'],
  environment: { LEVEL: 'debug', EMPTY: '' },
  forceNewInstance: false,
};
const add = {
  name: 'probe:typed/calc@1.0.0#add',
  parameters: [
    { name: 'a', type: 'u64' },
    { name: 'b', type: 'option<list<u8>>' },
  ],
  result: 'u64',
  callable: true,
  reason: '',
};

describe('running an execution again', () => {
  it('starts from what it was given, and gives the same where nothing is edited', () => {
    const fields = fieldsOf(asked, true);
    expect(parseParameters(add, fields.parameters)).toEqual({ value: asked.parameters });
    expect(parseEnvironment(fields.environment)).toEqual({ value: asked.environment });
    expect(parseArgs(fields.args)).toEqual(asked.args);
  });

  it('sends no variable whose value was not told', () => {
    const fields = fieldsOf({ ...asked, environment: { LEVEL: '' } }, false);
    expect(parseEnvironment(fields.environment)).toEqual({ value: {} });
  });

  it('finds a function by its bare name', () => {
    expect(signatureOf([add], 'add')).toBe(add);
    expect(signatureOf([add], 'sub')).toBeUndefined();
    expect(signatureOf([add], '')).toBeUndefined();
  });

  it('names the parameter that is not JSON', () => {
    expect(parseParameters(add, { a: '1', b: '[1,' })).toMatchObject({
      fault: expect.stringContaining('b is not JSON'),
    });
  });

  it('leaves out a parameter that is left empty', () => {
    expect(parseParameters(add, { a: '1', b: ' ' })).toEqual({ value: { a: 1 } });
  });

  it('names the line that is no variable', () => {
    expect(parseEnvironment('A=1\nnonsense')).toEqual({ fault: '"nonsense" is not NAME=value' });
    expect(parseEnvironment('A=b=c')).toEqual({ value: { A: 'b=c' } });
  });

  it('does not offer to edit input that is not text, or not all here', () => {
    const binary = { ...asked, input: Uint8Array.of(0xff, 0xfe), inputBytes: 2 };
    expect(fieldsOf(binary, true).input).toBeUndefined();
    expect(fieldsOf({ ...asked, inputBytes: 10 }, true).input).toBeUndefined();
    expect(fieldsOf({ ...asked, input: new TextEncoder().encode('grüße'), inputBytes: 7 }, true).input).toBe(
      'grüße',
    );
  });
});
