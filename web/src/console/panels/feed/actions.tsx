/** Taking a message away, to the clipboard. */

import { t } from '../../core/i18n/i18n';
import { hex } from '../../core/text';
import type { Entry } from '../../log/entry';
import { Copy } from '../../ui/copy';

export function Actions({ entry }: { entry: Entry }) {
  const { topic, payload } = entry.message;
  return (
    <Copy
      texts={[
        [t('Copy topic'), () => topic],
        [t('Copy as JSON'), () => import('../../log/record').then(({ json }) => json(entry))],
        [t('Copy bytes as hex'), () => hex(payload)],
      ]}
    />
  );
}
