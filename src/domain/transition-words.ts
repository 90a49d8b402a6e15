/**
 * What has befallen an execution from outside, in words: that its node ended under it, that it was followed or run
 * again by the next one, or that it went to or came from another. Empty for every other event of its chart.
 */
export function transitionWords({
  eventType,
  to,
  attempt,
}: {
  readonly eventType: string;
  readonly to: string;
  readonly attempt: number;
}): string {
  switch (eventType) {
    case 'lost':
      return to === 'running.suspended'
        ? `attempt ${attempt} was lost with its node; it runs again once it is resumed`
        : `attempt ${attempt} was lost with its node; it runs again`;
    case 'reattached':
      return `the node was started again, and goes on with attempt ${attempt} as it ran`;
    case 'restored':
      return 'it came with a snapshot, and goes on here';
    case 'detach':
      return 'it is moved, and goes on where its snapshot is restored';
    default:
      return '';
  }
}
