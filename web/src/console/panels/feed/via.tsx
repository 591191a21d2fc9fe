import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief } from '../../core/text';
import { hue } from '../../ui/hue';
import './via.css';

/** The connection of a message, for a row. */
export function ViaLabel({ name, colour }: { name: string; colour: number }) {
  const shown = brief(name, limits.name);
  return (
    <span class="via line fine end" style={hue(colour)} title={t('Connection {name}', { name: shown })}>
      <bdi class="clip">{shown}</bdi>
    </span>
  );
}
