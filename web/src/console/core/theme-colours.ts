/**
 * Tells what colour a token such as `--text` is at this element now, in a form
 * that a canvas takes: the token itself names one for each scheme.
 */
export function coloursAt(element: HTMLElement): (token: string) => string {
  return (token) => {
    const probe = document.createElement('span');
    probe.style.color = `var(${token})`;
    element.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
