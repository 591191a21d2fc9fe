import { type Theme, theme, themes } from './theme';
import './theme.css';
import { t } from '../language/language';

const looks: Record<Theme, [label: string, path: string]> = {
  system: ['System', 'M2 3h12v8H2zM5.5 13.5h5M8 11v2.5'],
  light: [
    'Light',
    'M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M13 3l-1.1 1.1M4.1 11.9L3 13',
  ],
  dark: ['Dark', 'M13.5 9.8A6 6 0 0 1 6.2 2.5A6 6 0 1 0 13.5 9.8z'],
};

export function ThemeSwitch() {
  const chosen = theme.chosen.value;
  return (
    <span class="theme" title={t('Theme')}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={looks[chosen][1]} />
      </svg>
      <select
        aria-label={t('Theme')}
        value={chosen}
        onChange={(event) => theme.choose(themes[event.currentTarget.selectedIndex] ?? 'system')}
      >
        {themes.map((name) => (
          <option key={name} value={name}>
            {looks[name][0]}
          </option>
        ))}
      </select>
    </span>
  );
}
