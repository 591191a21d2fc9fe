import { t, type Words } from '../core/i18n/i18n';
import { Button } from './button';
import { useTold } from './told';
import { Said, Toolbar } from './toolbar';

/** Returns whether it succeeded. It fails over plain http, or if it is forbidden. */
export async function toClipboard(text: string | Promise<string>): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(await text);
    return true;
  } catch {
    return false;
  }
}

/** Resolves with the reason if it failed. */
export async function copyOrTell(text: string | Promise<string>): Promise<Words | undefined> {
  if (await toClipboard(text)) return undefined;
  return () => t('This browser does not let the page copy: select the text and copy it');
}

/** The outcome of the last copy, and a function that copies. */
export function useCopied(): [said: string, copy: (text: string | Promise<string>) => void] {
  const said = useTold();
  async function copy(text: string | Promise<string>) {
    const problem = await copyOrTell(text);
    said.value = problem ?? (() => t('Copied'));
  }
  return [said.value, (text) => void copy(text)];
}

/** Buttons that copy texts, and the outcome. */
export function Copy({ texts }: { texts: [label: string, text: () => string | Promise<string>][] }) {
  const [said, copy] = useCopied();
  return (
    <Toolbar>
      {texts.map(([label, text]) => (
        <Button small key={label} onClick={() => copy(text())}>
          {label}
        </Button>
      ))}
      <Said>{said}</Said>
    </Toolbar>
  );
}
