import { expect, it } from 'vitest';
import { type Route, routeOf } from './routes';

const scope = 'https://host.example/tools/';
const files = ['assets/index-12345678.js', 'favicon.svg', 'mqttwasm.js', 'theme.js?0123'];

it.each<[what: string, address: string, mode: string, route: Route | undefined]>([
  ['the page', scope, 'navigate', 'page'],
  ['the page by its file', `${scope}index.html`, 'navigate', 'page'],
  ['the page of a link', `${scope}?x=1`, 'navigate', 'page'],
  ['a part of this build', `${scope}assets/index-12345678.js`, 'cors', 'fixed'],
  ['a part of another build', `${scope}assets/index-87654321.js`, 'cors', 'fixed'],
  ['a part named after its build', `${scope}theme.js?0123`, 'no-cors', 'fixed'],
  ['the same of another build', `${scope}theme.js?4567`, 'no-cors', 'fixed'],
  ['the library, which keeps its name', `${scope}mqttwasm.js`, 'cors', 'named'],
  ['the icon', `${scope}favicon.svg`, 'no-cors', 'named'],
  ['the list of brokers', `${scope}config.json`, 'cors', 'config'],
  ['the list of brokers, looked at', `${scope}config.json`, 'navigate', undefined],
  ['the broker', `${scope}mqtt`, 'cors', undefined],
  ['the health', `${scope}healthz`, 'cors', undefined],
  ['the service worker itself', `${scope}sw.js`, 'same-origin', undefined],
  ['another site', 'https://other.example/mqttwasm.js', 'cors', undefined],
  ['another folder of the host', 'https://host.example/assets/a-12345678.js', 'cors', undefined],
])('%s', (_, url, mode, route) => {
  expect(routeOf({ method: 'GET', mode, url }, scope, files)).toBe(route);
});

it('handles only GET', () => {
  expect(routeOf({ method: 'POST', mode: 'cors', url: `${scope}config.json` }, scope, files)).toBeUndefined();
});
