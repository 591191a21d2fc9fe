import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief } from '../../core/text';
import { viaHueOf } from '../../log/colours';
import { hue } from '../../ui/hue';
import './via.css';

/** The connection of a message, for a row. */
export function ViaLabel({ name }: { name: string }) {
  const shown = brief(name, limits.name);
  return (
    <span
      class="via line fine end"
      style={hue(viaHueOf(name))}
      title={t('Connection {name}', { name: shown })}
    >
      <bdi class="clip">{shown}</bdi>
    </span>
  );
}
