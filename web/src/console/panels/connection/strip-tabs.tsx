/** The connections, where there are several. */

import { t } from '../../core/i18n/i18n';
import { visible } from '../../core/text';
import { phaseWords } from '../../session/phase';
import type { Session } from '../../session/session';
import type { Sessions } from '../../session/sessions';
import { hue } from '../../ui/hue';

interface TabProps {
  session: Session;
  active: boolean;
  colour: number;
  onShow(): void;
  onClose(): void;
}

function Tab({ session, active, colour, onShow, onClose }: TabProps) {
  const shown = visible(session.name.value);
  const { phase, url } = session.connection.status.value;
  const words = phaseWords(phase);
  const repeats = session.publisher.repeating.value !== undefined;
  return (
    <li class="strip-tab box muted rigid" data-active={active} style={hue(colour)}>
      <button
        type="button"
        class="strip-show line"
        aria-current={active ? 'true' : undefined}
        aria-label={[shown, words, repeats && t('publishing repeatedly')].filter(Boolean).join(', ')}
        title={`${visible(url) || shown}: ${words}`}
        onClick={onShow}
      >
        <span class="strip-dot rigid" data-phase={phase} aria-hidden="true" />
        <bdi class="strip-name clip">{shown}</bdi>
        {repeats && (
          <span class="accent" title={t('Publishing repeatedly')}>
            ↻
          </span>
        )}
      </button>
      <button
        type="button"
        class="strip-close line"
        aria-label={t('Close {name}', { name: shown })}
        onClick={onClose}
      >
        ×
      </button>
    </li>
  );
}

export interface TabsProps {
  sessions: Sessions<Session>;
  onClose(session: Session): void;
}

export function StripTabs({ sessions, onClose }: TabsProps) {
  const active = sessions.active.value;
  return (
    <ul class="strip-tabs line tight">
      {sessions.list.value.map((session) => (
        <Tab
          key={session.id}
          session={session}
          active={session === active}
          colour={sessions.hueOf(session.name.value)}
          onShow={() => sessions.show(session)}
          onClose={() => onClose(session)}
        />
      ))}
    </ul>
  );
}
