import { t } from '../language/language';
import { visible } from '../text';
import { viaColourOf } from './colours';
import './via.css';

/** By which connection a message came or went, for a row. */
export function ViaLabel({ name }: { name: string }) {
  const shown = visible(name);
  return (
    <span class="via" data-colour={viaColourOf(name)} title={t('Connection {name}', { name: shown })}>
      <bdi class="via-name">{shown}</bdi>
    </span>
  );
}
