import { invalidArgument, quote, RequestError } from '../../../domain/errors.ts';
import { defaultTenant } from '../../../domain/scope.ts';
import type { Artifact } from '../../../domain/task.ts';
import type { TaskDraft } from '../../../domain/tasks.ts';
import type { Fetching } from '../../runtime.ts';
import type { DockerLogger, EngineConnection } from '../engine/connection.ts';
import { asEngineError, type EngineError } from '../engine/engine-error.ts';
import type { FetchedImages } from './fetched-images.ts';
import { isImageReference, pulledAs } from './image-reference.ts';
import { pullImage } from './pull.ts';

const inspectMs = 10_000;
const field = 'definition.artifact.image';

/** What of an image decides how its containers are made. */
export interface ImageFacts {
  /** Hex, without `sha256:`. */
  readonly imageId: string;
  /** What it runs where the task does not say it: together they are the command. */
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Paths that the image wants volumes at. */
  readonly volumes: readonly string[];
}

/** What the engine has under a reference or id; undefined where it has nothing. Rejects with an EngineError. */
export async function inspectImage(
  connection: EngineConnection,
  reference: string,
): Promise<ImageFacts | undefined> {
  try {
    const image = await connection.call(inspectMs, (docker) => docker.getImage(reference).inspect());
    return {
      imageId: image.Id.replace('sha256:', ''),
      entrypoint: [image.Config.Entrypoint ?? []].flat(),
      command: image.Config.Cmd ?? [],
      volumes: Object.keys(image.Config.Volumes ?? {}),
    };
  } catch (cause) {
    if (asEngineError(cause).status === 404) return undefined;
    throw cause;
  }
}

interface ImageTools {
  readonly connection: EngineConnection;
  readonly logger: DockerLogger | undefined;
  readonly fetched: FetchedImages;
}

/** Finds or fetches the image of a draft, as its pull policy says. Rejects with a RequestError, or the signal's reason. */
export async function resolveImage(
  tools: ImageTools,
  draft: TaskDraft,
  fetching: Fetching,
): Promise<Artifact> {
  const { source } = draft;
  if (source.kind !== 'image') {
    throw invalidArgument('definition.artifact', `a docker task runs an image, not a ${source.kind}`);
  }
  if (!isImageReference(source.image)) {
    throw invalidArgument(
      field,
      `${quote(source.image)} is no reference such as NAME:TAG, NAME@DIGEST or an id`,
    );
  }
  const found = await obtain(tools, source.image, draft.container?.pull ?? 'missing', fetching);
  if (draft.sha256 !== '' && draft.sha256 !== found.imageId) {
    throw invalidArgument(
      'definition.artifact.sha256',
      `image ${quote(source.image)} has the id ${found.imageId}, which is another`,
    );
  }
  return { kind: 'docker', image: source.image, imageId: found.imageId };
}

async function obtain(
  { connection, logger, fetched }: ImageTools,
  image: string,
  policy: 'missing' | 'always' | 'never',
  fetching: Fetching,
): Promise<ImageFacts> {
  const reference = pulledAs(image);
  const { tenant = defaultTenant } = fetching;
  try {
    const here =
      policy === 'always' && reference !== undefined ? undefined : await inspectImage(connection, image);
    // What only others have fetched is not here, but whoever fetches it has it.
    if (here !== undefined && fetched.isFor(tenant, here.imageId)) return here;
    if (policy === 'never')
      throw unobtainable(image, 'the engine does not have it, and the task never fetches it');
    if (reference === undefined)
      throw unobtainable(image, 'the engine does not have it, and an id cannot be fetched');
    const before = await imageIds(connection);
    await pullImage(await connection.wire(), reference, fetching.progress, fetching.signal);
    const found = await inspectImage(connection, image);
    if (found === undefined) throw unobtainable(image, 'it was removed as soon as it was fetched');
    await fetched.note(tenant, found.imageId, before.has(found.imageId));
    return found;
  } catch (error) {
    fetching.signal.throwIfAborted();
    if (error instanceof RequestError) throw error;
    const failure = asEngineError(error);
    logger?.warn({ err: failure, image }, 'an image could not be had of the engine');
    throw notFetched(image, failure);
  }
}

/** Of all that the engine has. */
async function imageIds(connection: EngineConnection): Promise<ReadonlySet<string>> {
  const images = await connection.call(inspectMs, (docker) => docker.listImages({ all: true }));
  return new Set(images.map(({ Id }) => Id.replace('sha256:', '')));
}

/** What a caller hears: the engine's own words tell of addresses inside, which it was sent to. */
function plainReason({ message, status }: EngineError): string {
  if (status === 400) return 'the engine takes it for no reference of an image';
  if (
    status === 401 ||
    status === 403 ||
    /denied|unauthorized|forbidden|authentication required/i.test(message)
  ) {
    return 'its registry does not give it to this node, or does not have it';
  }
  if (/manifest unknown|name unknown|not found|no such image/i.test(message))
    return 'its registry does not have it';
  return "its registry could not be reached, or did not give it; the node's log has more";
}

function notFetched(image: string, error: EngineError): RequestError {
  if (!error.unreachable) return unobtainable(image, plainReason(error), error);
  return new RequestError('unavailable', `image ${quote(image)}: ${error.message}; try again`, {
    reason: 'RUNTIME_UNAVAILABLE',
    metadata: { runtime: 'docker' },
    cause: error,
  });
}

/** An image that a task names and that cannot be had. */
export function unobtainable(image: string, why: string, cause?: EngineError): RequestError {
  const description = `no image ${quote(image)}: ${why}`;
  return new RequestError('failed_precondition', `${field}: ${description}`, {
    reason: 'ARTIFACT_UNAVAILABLE',
    violations: [{ field, description }],
    cause,
  });
}
