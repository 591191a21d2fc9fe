import { useEffect, useState } from 'preact/hooks';

/**
 * Which of several parts is open, and a function to open or close one. A part with a mistake in it
 * opens by itself, and can be closed again.
 */
export function useFold<Name extends string>(mistaken: Name | undefined) {
  const [open, setOpen] = useState<Name>();
  useEffect(() => {
    if (mistaken) setOpen(mistaken);
  }, [mistaken]);
  const toggle = (name: Name) => setOpen(open === name ? undefined : name);
  return [open, toggle] as const;
}
