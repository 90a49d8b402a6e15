import type { MessageInitShape } from '@bufbuild/protobuf';
import type { TaskDefinitionSchema } from '../../src/server/gen/spearlet/task_pb.js';
import type { Random } from '../crash/random.ts';

export type Definition = Omit<MessageInitShape<typeof TaskDefinitionSchema>, '$typeName'>;

/** What attackers can find out about the node that they attack. */
export interface Target {
  readonly dataDir: string;
  /** What the paths of its sockets and folders have in them. */
  readonly nodeName: string;
  readonly secretFile: string;
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** Of the server, and of all that it has started. */
  readonly processes: () => Promise<readonly string[]>;
  /** A word on the command line of what an attacker leaves running. */
  readonly mark: string;
}

/** One way to attack. */
export interface AttackKind {
  readonly name: string;
  readonly weight: number;
  /** See Attack. */
  readonly random: boolean;
  /** May read what every user may read, such as /etc/passwd. */
  readonly seesHost: boolean;
  /** What it takes to start, in milliseconds, where that is long: it has so much more time. */
  readonly startMs?: number;
  /** The task that does it; the name, the folder and the timeouts are added. */
  readonly draw: (random: Random, target: Target) => Promise<Definition>;
}
