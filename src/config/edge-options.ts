/** What docs/security.md explains. */
import type { Option } from './option.ts';

const file = { kind: 'text', placeholder: 'file', path: true } as const;
const text = { kind: 'text', placeholder: 'text' } as const;
const name = { kind: 'text', placeholder: 'name' } as const;
const truth = { kind: 'truth' } as const;

export const edgeOptions = {
  tlsCert: {
    value: file,
    about: 'the certificate (PEM) for gRPC and HTTP, and those that lead to it',
  },
  tlsKey: {
    value: file,
    about: 'its key (PEM); both files are read again when they change, and on SIGHUP',
  },
  tlsSelfSigned: {
    value: truth,
    about: 'TLS with a certificate of its own, in the data folder: for trying',
  },
  tlsClientCa: {
    value: file,
    about: 'who signs the certificates (PEM) that callers may show; see spear token create --san',
  },
  insecureListen: {
    value: truth,
    about: 'listen beyond loopback in the clear: behind a proxy that has TLS',
  },
  jwtJwks: {
    value: { kind: 'text', placeholder: 'file|url', path: true },
    about: 'take tokens (JWT) of an issuer whose keys are in this file or at this https URL',
  },
  jwtIssuer: { value: text, about: 'what their claim iss has to say' },
  jwtAudience: { value: text, about: 'what their claim aud has to say' },
  jwtTenantClaim: {
    value: name,
    about: 'the claim with the tenant of the caller',
    default: 'spear_tenant',
  },
  jwtRoleClaim: { value: name, about: 'the claim with the role', default: 'spear_role' },
  jwtTasksClaim: {
    value: name,
    about: 'the claim with the patterns of task names',
    default: 'spear_tasks',
  },
  jwtAllowAdmin: { value: truth, about: 'let that role be admin' },
  httpHost: {
    value: { kind: 'list', placeholder: 'name', separator: ',', several: true },
    about: 'another name that HTTP answers to',
  },
  corsOrigin: {
    value: { kind: 'list', placeholder: 'origin', separator: ',', several: true },
    about: 'pages of this origin may call, such as https://app.example; * for any',
  },
} as const satisfies Record<string, Option>;
