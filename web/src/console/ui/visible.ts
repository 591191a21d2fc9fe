import { useEffect, useState } from 'preact/hooks';

const isVisible = () => document.visibilityState === 'visible';

/** Whether the page is on show: neither another tab's nor minimised. */
export function useVisible(): boolean {
  const [visible, setVisible] = useState(isVisible);
  useEffect(() => {
    const look = () => setVisible(isVisible);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  return visible;
}
