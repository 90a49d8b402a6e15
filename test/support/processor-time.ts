/** Milliseconds of processor time that this thread spends in `work`: what else the machine does is not counted. */
export function processorTime(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/**
 * How many times as much processor time each of `many` takes as each of `few`: near 1 where there is a bound for each,
 * near `many / few` where each takes the longer the more there are. Both are measured over as many in all, and often
 * enough for a clock that counts in milliseconds.
 */
export function growth(few: number, many: number, work: (count: number) => unknown): number {
  const spent = (count: number) =>
    processorTime(() => {
      for (let done = 0; done < 2 * many; done += count) work(count);
    });
  spent(few);
  return spent(many) / spent(few);
}
