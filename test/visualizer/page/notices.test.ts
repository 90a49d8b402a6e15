import { beforeEach, describe, expect, it } from 'vitest';
import { createNotices, type Notices } from '../../../src/visualizer/page/shell/notices.ts';

describe('what the page says in passing', () => {
  let notices: Notices;
  let late: (() => void)[];
  const texts = () => notices.shown.value.map(({ text }) => text);
  const pass = () => {
    for (const act of late.splice(0)) act();
  };
  beforeEach(() => {
    late = [];
    notices = createNotices((_, act) => {
      late.push(act);
      return () => {};
    });
  });

  it('goes by itself where it is good, and stays where it is bad', () => {
    notices.say('done');
    notices.complain('not done');
    pass();
    expect(texts()).toEqual(['not done']);
  });

  it('is three at most, and what is bad is kept before what is good', () => {
    notices.complain('bad');
    for (const text of ['one', 'two', 'three']) notices.say(text);
    expect(texts()).toEqual(['bad', 'two', 'three']);
  });

  it('says the same once', () => {
    notices.complain('bad');
    notices.say('one');
    notices.complain('bad');
    expect(texts()).toEqual(['one', 'bad']);
  });

  it('stays while the reader is at it, and goes when they leave', () => {
    notices.say('done');
    notices.hold(true);
    pass();
    expect(texts()).toEqual(['done']);
    notices.hold(false);
    expect(texts()).toEqual([]);
  });

  it('is held no longer once all of it was taken away', () => {
    notices.hold(true);
    notices.say('one');
    expect(notices.dismissAll()).toBe(true);
    expect(notices.dismissAll()).toBe(false);
    notices.say('two');
    pass();
    expect(texts()).toEqual([]);
  });
});
