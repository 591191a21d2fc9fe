import { renewed } from '../../install/install';
import { Button } from '../../ui/button';
import './new-version.css';
import { t } from '../../core/i18n/i18n';

/** Says that there is a newer page. The user chooses when to reload. */
export function NewVersion() {
  return (
    <div class="new-version" role="status" aria-label={t('Version')}>
      {renewed.value && (
        <>
          {t('A new version is ready:')}{' '}
          <Button look="link" onClick={() => location.reload()}>
            {t('Reload')}
          </Button>
        </>
      )}
    </div>
  );
}
