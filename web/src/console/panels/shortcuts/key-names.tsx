import { isApple, type Keys, namesOf } from '../../shortcuts/keys';
import './key-names.css';

export const apple = isApple(navigator.platform);

export function KeyNames({ keys }: { keys: Keys | undefined }) {
  if (!keys) return null;
  return namesOf(keys, apple).map((name) => (
    <kbd key={name} class="key">
      {name}
    </kbd>
  ));
}
