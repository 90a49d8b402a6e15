/** Who signed the document that is shown, and what that is worth. */
import type { Signature } from '../model/signature.ts';
import { Icon, type IconName } from '../theme/icon.tsx';
import './signature-line.css';

const words: Readonly<Record<Signature['verdict'], readonly [icon: IconName, what: string, more: string]>> = {
  unsigned: ['file', 'Not signed:', 'nobody vouches for it.'],
  valid: [
    'done',
    'Signature verified:',
    'signed by the holder of this key. Whether to trust the key is yours to say.',
  ],
  broken: ['warn', 'Signature not valid:', 'this key does not vouch for this document.'],
  'not checked': [
    'help',
    'Signature not checked here:',
    'this browser cannot check it. Anyone can name a key.',
  ],
};

export function SignatureLine({ signature }: { readonly signature: Signature }) {
  const { verdict, publicKey, keyId } = signature;
  const [icon, what, more] = words[verdict];
  return (
    <div class="signature-line" data-verdict={verdict}>
      <Icon name={icon} />
      <p>
        <strong>{what}</strong> {more}
      </p>
      {publicKey !== '' && (
        <dl>
          {keyId !== '' && (
            <div>
              <dt>Key id</dt>
              <dd class="mono">{keyId}</dd>
            </div>
          )}
          <div>
            <dt>Public key</dt>
            <dd class="mono">{publicKey}</dd>
          </div>
        </dl>
      )}
    </div>
  );
}
