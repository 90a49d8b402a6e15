/** The certificate of a node that is reached over TLS. */
import { join } from 'node:path';
import { type NodeConfig, splitAddress } from '../config.ts';
import { hasTls } from '../config-edge.ts';
import type { Clock } from '../domain/clock.ts';
import { CertificateSource } from '../server/tls/certificate-source.ts';
import { selfSignedFiles } from '../server/tls/self-signed.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Undefined without TLS. Rejects with an Error for people where the files are not good. */
export async function openCertificates(
  config: NodeConfig,
  clock: Clock,
  logger: Logger,
  opened: AsyncDisposableStack,
): Promise<CertificateSource | undefined> {
  if (!hasTls(config)) return undefined;
  const { tlsCert, tlsKey, tlsSelfSigned, tlsClientCa, dataDir } = config;
  const { cert, key } = tlsSelfSigned
    ? await selfSignedFiles(join(dataDir, 'tls'), ownNames(config), clock)
    : { cert: tlsCert, key: tlsKey };
  const source = await CertificateSource.open(
    { cert, key, ...(tlsClientCa !== '' && { clientCa: tlsClientCa }) },
    clock,
    {
      changed: ({ names, expiresAt, fingerprint }) =>
        logger.info(
          { names, expiresAt, fingerprint },
          'the certificate was read again; who connects from now on sees it',
        ),
      refused: (error) =>
        logger.error({ err: error }, 'the certificate files are not good; the one from before stays'),
    },
  );
  opened.defer(() => source.close());
  const { names, expiresAt, fingerprint } = source.pair;
  logger.info({ cert, names, expiresAt, fingerprint }, 'callers come in over TLS');
  if (expiresAt <= clock.now()) logger.warn({ cert, expiresAt }, 'the certificate has expired');
  return source;
}

/** What a caller on this machine may call it, and what it is bound to. */
function ownNames({ grpcAddress, httpAddress, httpHost }: NodeConfig): string[] {
  const bound = [
    splitAddress('--grpc-address', grpcAddress).host,
    splitAddress('--http-address', httpAddress).host,
    ...httpHost.map((name) => name.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')),
  ];
  return ['localhost', '127.0.0.1', '::1', ...bound.filter((host) => host !== '0.0.0.0' && host !== '::')];
}
