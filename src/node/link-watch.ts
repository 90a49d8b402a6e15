/** Says in the log where a node of the cluster does not answer over its link: the database alone tells of it then. */
import type { Clock, Timer } from '../domain/clock.ts';
import type { Links } from '../domain/links.ts';
import type { Membership, Peer } from '../stores/membership.ts';
import type { Logger } from '../telemetry/logger.ts';

interface Parts {
  readonly links: Pick<Links, 'answers'>;
  readonly membership: Pick<Membership, 'incarnation' | 'peers'>;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** A node that dies is taken for dead sooner than it is asked twice. */
const askMs = 5000;
const answerMs = 2000;
/** Unanswered questions in a row. */
const mostMissed = 2;

export function watchLinks({ links, membership, clock, logger }: Parts): { close(): void } {
  let missed = new Map<number, number>();
  let timer: Timer | undefined;
  let isClosed = false;

  const ask = async (peer: Peer): Promise<readonly [incarnation: number, missed: number]> => {
    const { incarnation, name, address } = peer;
    const before = missed.get(incarnation) ?? 0;
    const isThere = await links.answers(peer, answerMs);
    const now = isThere ? 0 : before + 1;
    if (now === mostMissed) {
      const why = `look whether ${address} can be reached from here, and whether both have one --cluster-secret-file`;
      logger.warn({ peer: name, address, why }, 'a node of the cluster does not answer over its link');
    } else if (isThere && before >= mostMissed) {
      logger.info({ peer: name }, 'a node of the cluster answers over its link again');
    }
    return [incarnation, now];
  };

  const round = async (): Promise<void> => {
    const peers = membership
      .peers()
      .filter(
        ({ incarnation, alive, address }) =>
          incarnation !== membership.incarnation && alive && address !== '',
      );
    missed = new Map(await Promise.all(peers.map(ask)));
  };

  const later = (): void => {
    if (isClosed) return;
    timer = clock.setTimer(
      askMs,
      () =>
        void round()
          .catch(() => {})
          .finally(later),
    );
  };
  later();
  return {
    close() {
      isClosed = true;
      timer?.cancel();
    },
  };
}
