import { useLayoutEffect, useState } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import type { Picture } from '../../payload/image';
import { Button } from '../button';

interface Props {
  payload: Uint8Array;
  picture: Picture;
  onBroken(): void;
}

/** Shown instead of a picture that may take for ever to draw, until the user asks for it. */
export function Undrawn({ source, onShow }: { source: string; onShow(): void }) {
  return (
    <>
      <div class="payload-tools flow">
        <Button small onClick={onShow}>
          {t('Show picture')}
        </Button>
        <span class="muted wrap">{t('SVG is drawn when you ask for it: it can keep the page busy.')}</span>
      </div>
      <pre class="payload-block wrap sunken full">{source}</pre>
    </>
  );
}

/** Only ever an <img>: in it, an SVG runs no script and loads nothing. */
export function PictureView({ payload, picture: { type, size }, onBroken }: Props) {
  const [url, setUrl] = useState<string>();
  useLayoutEffect(() => {
    const made = URL.createObjectURL(new Blob([payload.slice()], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [payload, type]);
  const kind = type.replace(/^image\/(\w+).*/, '$1').toUpperCase();
  return (
    <figure class="payload-picture stack">
      {url && <img src={url} alt={t('The payload as a picture, {kind}', { kind })} onError={onBroken} />}
      <figcaption class="muted wrap">
        {size ? t('{kind}, {width} × {height} pixels', { kind, width: size[0], height: size[1] }) : kind}
      </figcaption>
    </figure>
  );
}
