const counter = /\{\{\s*n\s*\}\}/g;

export function hasCounter(template: string): boolean {
  return template.search(counter) >= 0;
}

/** `messages: {{n}}` with n = 3 is `messages: 3`. */
export function expand(template: string, n: number): string {
  return template.replace(counter, String(n));
}
