import { mark, t } from '../../core/i18n/i18n';
import { type Theme, theme, themes } from '../../core/theme';
import { IconSelect } from '../../ui/icon-select';

const looks: Record<Theme, [label: string, path: string]> = {
  system: [mark('System'), 'M2 3h12v8H2zM5.5 13.5h5M8 11v2.5'],
  light: [
    mark('Light'),
    'M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M13 3l-1.1 1.1M4.1 11.9L3 13',
  ],
  dark: [mark('Dark'), 'M13.5 9.8A6 6 0 0 1 6.2 2.5A6 6 0 1 0 13.5 9.8z'],
};

export function ThemeSwitch() {
  const chosen = theme.chosen.value;
  return (
    <IconSelect
      label={t('Theme')}
      path={looks[chosen][1]}
      value={chosen}
      options={themes.map((name) => [name, t(looks[name][0])] as const)}
      onEdit={theme.choose}
    />
  );
}
