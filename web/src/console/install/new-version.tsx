import { renewed } from './install';
import './new-version.css';

/** Says that there is a newer page. When to change over is the reader's to choose. */
export function NewVersion() {
  return (
    <div class="new-version" role="status" aria-label="Version">
      {renewed.value && (
        <>
          A new version is ready:{' '}
          <button type="button" class="link" onClick={() => location.reload()}>
            Reload
          </button>
        </>
      )}
    </div>
  );
}
