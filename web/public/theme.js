// Runs before the first paint, which the page's own modules do not. The choice
// is made in src/console/core/theme.ts, and kept there under this key.
try {
  const theme = JSON.parse(localStorage.getItem('mqttwasm.theme'));
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Nothing kept, or nothing to be read: as the system has it.
}
