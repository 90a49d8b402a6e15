import { expect, test } from 'vitest';
import { findFunction } from '../../../src/domain/wit/lookup.ts';
import type { WitFunction } from '../../../src/domain/wit/types.ts';

function named(...names: string[]): WitFunction[] {
  return names.map((name) => ({ name, parameters: [], result: undefined }));
}

const functions = named('ping', 'a:b/calc@1.0.0#add', 'a:b/calc@1.0.0#both', 'inline#both');

test('a function is found by its export name, or by a bare name that one export has', () => {
  expect(findFunction(functions, 'ping').name).toBe('ping');
  expect(findFunction(functions, 'inline#both').name).toBe('inline#both');
  expect(findFunction(functions, 'add').name).toBe('a:b/calc@1.0.0#add');
});

test('a function of the world wins over one of its name in an interface', () => {
  expect(findFunction(named('i#f', 'f'), 'f').name).toBe('f');
});

test('an ambiguous bare name is refused with the candidates', () => {
  expect(() => findFunction(functions, 'both')).toThrow(
    'function_name: "both" could be any of a:b/calc@1.0.0#both, inline#both',
  );
});

test('an unknown function is not found, and the error lists what there is', () => {
  expect(() => findFunction(functions, 'calc')).toThrow(
    expect.objectContaining({
      kind: 'not_found',
      reason: 'FUNCTION_NOT_FOUND',
      message: expect.stringContaining('it exports ping, a:b/calc@1.0.0#add'),
    }),
  );
  expect(() => findFunction([], 'f')).toThrow('it exports no typed functions');
  const many = named(...Array.from({ length: 500 }, (_, index) => `f${index}`));
  expect(() => findFunction(many, 'x')).toThrow('f19 and 480 more');
});
