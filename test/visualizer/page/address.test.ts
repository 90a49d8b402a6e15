import { describe, expect, it } from 'vitest';
import {
  type Address,
  addressOf,
  formatAddress,
  home,
  isExecutionId,
  parseAddress,
} from '../../../src/visualizer/page/model/address.ts';

const search = (path: string) => path.slice(1);

describe('the address of a view', () => {
  it('is the root for what opens first', () => {
    expect(formatAddress(home)).toBe('/');
    expect(parseAddress('')).toEqual(home);
  });

  it('comes back as it was written, whatever the reader chose', () => {
    const address: Address = {
      tenant: 'shop',
      view: 'list',
      statuses: ['failed', 'timedOut'],
      task: 'resize & crop',
      batch: 'batch_01m808w43wk1636248bf21bkjm',
      code: 'FUNCTION_EXIT',
      layers: '2',
      zoom: '1-40',
      text: '/oom|trap/ ünïcode "quoted"',
      schedule: '',
      since: '1h',
      after: Date.parse('2026-11-22T03:00:00Z'),
      before: Date.parse('2026-11-22T04:00:00Z'),
      selected: '',
      execution: 'exec_01m808w43wk1636248bf21bkjm',
      at: 57,
    };
    expect(parseAddress(search(formatAddress(address)))).toEqual(address);
  });

  it('names a schedule that is open, or whose firings are listed', () => {
    const there = addressOf({ view: 'schedules', schedule: 'nightly' });
    expect(there).toBe('/?view=schedules&schedule=nightly');
    expect(parseAddress(search(there)).schedule).toBe('nightly');
    expect(addressOf({ schedule: 'nightly' })).toBe('/?schedule=nightly');
  });

  it('is readable', () => {
    expect(addressOf({ tenant: '*' })).toBe('/?tenant=*');
    expect(addressOf({ statuses: ['failed', 'timedOut'], since: '15m' })).toBe(
      '/?status=failed,timedOut&since=15m',
    );
    expect(addressOf({ execution: 'exec_1', at: 3 })).toBe('/?execution=exec_1&at=3');
  });

  it('tells what can be an execution id from what cannot', () => {
    expect(isExecutionId('exec_01m808w43wk1636248bf21bkjm')).toBe(true);
    for (const text of ['', 'exec_', 'exec_1', '../../x<b>', 'exec_01m808w43wk1636248bf21bkjm/'])
      expect(isExecutionId(text), text).toBe(false);
  });

  it('ignores what it does not know', () => {
    expect(parseAddress('?status=exploded&since=3y&at=-1&after=tomorrow&view=galaxy')).toEqual(home);
  });

  it('keeps the list under an open execution, for the way back', () => {
    const list = parseAddress('?status=failed&q=oom');
    const open = addressOf({ execution: 'exec_1' }, list);
    expect(addressOf({ execution: '' }, parseAddress(search(open)))).toBe('/?status=failed&q=oom');
  });
});
