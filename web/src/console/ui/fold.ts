import { useEffect, useState } from 'preact/hooks';

/**
 * Which of several parts is open, and what to call for one to be opened or closed. One
 * with a mistake in it comes into sight by itself, and then stays only as long as one
 * wants to look at it.
 */
export function useFold<Name extends string>(mistaken: Name | undefined) {
  const [open, setOpen] = useState<Name>();
  useEffect(() => {
    if (mistaken) setOpen(mistaken);
  }, [mistaken]);
  const toggle = (name: Name) => setOpen(open === name ? undefined : name);
  return [open, toggle] as const;
}
