/** The Helm chart, rendered: what Kubernetes would be given, and how it fits the image and the node. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { render } from '../support/go-template.ts';

const chart = fileURLToPath(new URL('../../packaging/helm/spear/', import.meta.url));

type Values = Record<string, unknown>;

/** What the tests look at. */
interface Container {
  readonly image: string;
  readonly env: readonly object[];
  readonly ports: readonly { readonly name: string }[];
  readonly volumeMounts: readonly object[];
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly scheme: string } };
}

interface Pod {
  readonly containers: readonly [Container];
  readonly volumes: readonly object[];
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
}

interface StatefulSet {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly serviceName: string;
    readonly selector: { readonly matchLabels: object };
    readonly template: { readonly metadata: { readonly labels: object }; readonly spec: Pod };
    readonly volumeClaimTemplates: readonly [{ readonly metadata: { readonly name: string } }];
  };
}

interface Service {
  readonly spec: { readonly selector: object; readonly ports: readonly { readonly targetPort: string }[] };
}

interface Manifests {
  readonly StatefulSet: StatefulSet;
  readonly Service: Service;
  readonly ServiceMonitor: { readonly spec: { readonly endpoints: readonly [object] } };
  readonly NetworkPolicy: { readonly spec: { readonly ingress: readonly object[] } };
}

interface Schema {
  readonly properties: Readonly<Record<string, Schema>>;
}

let about: { version: string; appVersion: string };
let defaults: Values;
let names: string;
beforeAll(async () => {
  about = parse(await readFile(join(chart, 'Chart.yaml'), 'utf8'));
  defaults = parse(await readFile(join(chart, 'values.yaml'), 'utf8'));
  names = await readFile(join(chart, 'templates/_names.tpl'), 'utf8');
});

/** By kind; what renders to nothing is left out. */
async function documents(values: Values = {}): Promise<Manifests> {
  const context = {
    Values: { ...defaults, ...values },
    Chart: { AppVersion: about.appVersion },
    Release: { Name: 'shop', Namespace: 'web', Service: 'Helm' },
  };
  const made: Values = {};
  for (const name of await readdir(join(chart, 'templates'))) {
    if (!name.endsWith('.yaml')) continue;
    const text = render(await readFile(join(chart, 'templates', name), 'utf8'), context, [names]);
    const document = parse(text);
    if (document !== null) made[document.kind] = document;
  }
  return made as unknown as Manifests;
}

test('the chart is of the version of the package', async () => {
  const { version } = JSON.parse(await readFile(join(chart, '../../../package.json'), 'utf8'));
  expect(about).toMatchObject({ version, appVersion: version });
});

test('its pods are found by the service, run as the user of the image, and keep their data in a claim', async () => {
  const made = await documents();
  expect(Object.keys(made).sort()).toEqual(['Service', 'StatefulSet']);
  const { metadata, spec } = made.StatefulSet;
  const pod = spec.template.spec;
  const [container] = pod.containers;
  expect(spec.serviceName).toBe(metadata.name);
  expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
  expect(made.Service.spec.selector).toEqual(spec.selector.matchLabels);
  expect(container.image).toBe(`spear:${about.appVersion}`);
  const dockerfile = await readFile(join(chart, '../../image/Dockerfile'), 'utf8');
  expect(dockerfile).toContain(`USER ${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`);
  const data = spec.volumeClaimTemplates[0].metadata.name;
  expect(container.volumeMounts).toContainEqual({
    name: data,
    mountPath: /^VOLUME (.*)$/m.exec(dockerfile)?.[1],
  });
  const ports = container.ports.map(({ name }) => name);
  for (const { targetPort } of made.Service.spec.ports) expect(ports).toContain(targetPort);
});

test('a pod has longer to end than its node waits for what runs', async () => {
  const { spec } = (await documents({ drainSeconds: 90 })).StatefulSet;
  const { terminationGracePeriodSeconds, containers } = spec.template.spec;
  expect(containers[0].env).toContainEqual({ name: 'SPEAR_DRAIN_MS', value: '90000' });
  expect(terminationGracePeriodSeconds).toBe(120);
});

test('with a certificate the probes and the node speak TLS', async () => {
  const { spec } = (await documents({ tls: { secretName: 'shop-tls' } })).StatefulSet;
  const { containers, volumes } = spec.template.spec;
  const [container] = containers;
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const)
    expect(container[probe]?.httpGet.scheme).toBe('HTTPS');
  expect(container.env).toContainEqual({ name: 'SPEAR_TLS_CERT', value: '/etc/spear/tls/tls.crt' });
  expect(volumes).toContainEqual({ name: 'tls', secret: { secretName: 'shop-tls', defaultMode: 0o440 } });
});

test('the node answers HTTP to the names of its service, and to those that are named', async () => {
  const { spec } = (await documents({ httpHosts: ['shop.example', 'spear.example:8443'] })).StatefulSet;
  const names = ['shop', 'shop.web', 'shop.web.svc', 'shop.web.svc.cluster.local'];
  expect(spec.template.spec.containers[0].env).toContainEqual({
    name: 'SPEAR_HTTP_HOST',
    value: [...names, 'shop.example', 'spear.example:8443'].join(','),
  });
});

test('variables, pull secrets and places of the values reach the pod', async () => {
  const places = {
    nodeSelector: { disk: 'fast' },
    tolerations: [{ key: 'spear' }],
    affinity: { nodeAffinity: {} },
  };
  const values = { environment: { SPEAR_SLOTS: '16' }, imagePullSecrets: [{ name: 'pull' }], ...places };
  const pod = (await documents(values)).StatefulSet.spec.template.spec;
  expect(pod).toMatchObject({ imagePullSecrets: [{ name: 'pull' }], ...places });
  expect(pod.containers[0].env).toContainEqual({ name: 'SPEAR_SLOTS', value: '16' });
});

test('a monitor without the secret of its token is refused, and one with it scrapes with the token', async () => {
  const monitor = { enabled: true, interval: '15s', tokenSecret: { name: '', key: 'token' } };
  await expect(documents({ serviceMonitor: monitor })).rejects.toThrow('tokenSecret.name is needed');
  const tokenSecret = { name: 'scrape', key: 'token' };
  const made = await documents({ serviceMonitor: { ...monitor, tokenSecret } });
  const [endpoint] = made.ServiceMonitor.spec.endpoints;
  expect(endpoint).toMatchObject({ path: '/metrics', authorization: { credentials: tokenSecret } });
});

test('a policy lets in only whom it names', async () => {
  const from = [{ podSelector: { matchLabels: { app: 'shop' } } }];
  const { spec } = (await documents({ networkPolicy: { enabled: true, from } })).NetworkPolicy;
  expect(spec.ingress).toEqual([{ from, ports: [{ port: 'grpc' }, { port: 'http' }] }]);
});

test('the schema knows every value of the chart, and no other', async () => {
  const schema = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8'));
  const compare = (values: Values, { properties }: Schema): void => {
    expect(Object.keys(properties).filter((key) => key !== 'global')).toEqual(Object.keys(values));
    for (const [key, value] of Object.entries(values)) {
      const inner = properties[key];
      if (inner?.properties !== undefined) compare(value as Values, inner);
    }
  };
  compare(defaults, schema);
});
