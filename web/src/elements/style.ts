/** The default look of the elements, based on the page's own font and colours. */

const css = `
:host {
  --_accent: var(--mqtt-accent, light-dark(#1a5fb4, #84b6f7));
  --_on-accent: var(--mqtt-on-accent, light-dark(#fff, #06192e));
  --_good: var(--mqtt-good, light-dark(#176b40, #58cf90));
  --_warn: var(--mqtt-warn, light-dark(#7c5200, #e9b95a));
  --_bad: var(--mqtt-bad, light-dark(#ab1f1a, #ff938a));
  --_muted: var(--mqtt-muted, color-mix(in srgb, currentColor 75%, transparent));
  --_line: var(--mqtt-line, color-mix(in srgb, currentColor 22%, transparent));
  --_edge: var(--mqtt-edge, color-mix(in srgb, currentColor 55%, transparent));
  --_radius: var(--mqtt-radius, .4rem);
  --_control: var(--mqtt-control, 2.25rem);
  display: inline-block;
  box-sizing: border-box;
}
:host([hidden]), [hidden] { display: none !important; }
*, ::before { box-sizing: border-box; }
:host(mqtt-connection) { display: contents; }
:host(mqtt-feed), :host(mqtt-chart) { display: block; }
[part~=label] { display: block; margin-bottom: .2em; color: var(--_muted); font-size: .85em; }
[part~=label]:empty, [part~=error]:empty, [part~=stale]:empty, [part~=unit]:empty, [part~=result]:empty { display: none; }
[part~=error] { color: var(--_bad); font-size: .85em; overflow-wrap: anywhere; }
[part~=stale] { color: var(--_warn); font-size: .75em; margin-inline-start: .4em; }
:host(mqtt-value) [part~=value] { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; unicode-bidi: isolate; }
[part~=unit] { color: var(--_muted); margin-inline-start: .2em; }
[part~=status] { display: inline-flex; align-items: center; gap: .45em; }
[part~=dot] { width: .65em; height: .65em; border-radius: 50%; background: var(--_bad); forced-color-adjust: none; }
[part~=dot-connected] { background: var(--_good); }
[part~=dot-connecting], [part~=dot-reconnecting] { background: var(--_warn); }
button, input {
  font: inherit; color: inherit; min-height: var(--_control); padding: .25em .8em;
  border: 1px solid var(--_edge); border-radius: var(--_radius); background: transparent;
}
button { cursor: pointer; }
[part~=send] { background: var(--_accent); border-color: var(--_accent); color: var(--_on-accent); }
button[aria-disabled=true] { cursor: progress; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
form { display: flex; flex-wrap: wrap; align-items: end; gap: .5em; margin: 0; }
form label { display: grid; gap: .2em; flex: 1 1 10em; color: var(--_muted); font-size: .85em; }
form input { width: 100%; min-width: 0; font-size: 1rem; color: var(--mqtt-text, CanvasText); background: var(--mqtt-field, Canvas); }
[part~=result] { display: block; margin-top: .25em; font-size: .85em; color: var(--_good); overflow-wrap: anywhere; }
[part~=failed] { color: var(--_bad); }
[part~=switch] { display: inline-flex; align-items: center; gap: .6em; border-color: transparent; padding-inline: .2em; }
[part~=track] { width: 2.4em; height: 1.35em; border-radius: 1em; border: 1px solid var(--_edge); padding: .15em; display: flex; }
[part~=thumb] { height: 100%; aspect-ratio: 1; border-radius: 50%; background: var(--_edge); }
[aria-checked=true] [part~=track] { justify-content: end; background: var(--_accent); border-color: var(--_accent); }
[aria-checked=true] [part~=thumb] { background: var(--_on-accent); }
[part~=log] {
  height: var(--mqtt-feed-height, 16rem); overflow: auto; padding: .4em .6em;
  border: 1px solid var(--_line); border-radius: var(--_radius); font-size: .9em;
}
[part~=row] { display: flex; flex-wrap: wrap; gap: 0 .8em; padding: .15em 0; border-bottom: 1px solid var(--_line); }
[part~=time], [part~=topic], [part~=empty], [part~=retained] { color: var(--_muted); }
[part~=payload] { flex: 1 1 12em; font-family: ui-monospace, monospace; white-space: pre-wrap; }
[part~=topic], [part~=payload] { overflow-wrap: anywhere; unicode-bidi: isolate; }
svg { display: block; width: 100%; margin-top: .3em; height: var(--mqtt-chart-height, 12rem); overflow: visible; }
svg text { font-size: 11px; fill: var(--_muted); }
[part~=grid] { stroke: var(--_line); }
[part~=line] { fill: none; stroke-width: 2; stroke-linejoin: round; }
[part~=legend] { display: flex; flex-wrap: wrap; gap: .2em 1em; font-size: .85em; }
[part~=legend]:empty { display: none; }
[part~=name] { overflow-wrap: anywhere; unicode-bidi: isolate; }
[part~=key] { display: inline-block; width: 1em; height: .2em; margin-inline-end: .4em; vertical-align: middle; forced-color-adjust: none; }
.series-0 { --_series: var(--mqtt-series-1, var(--_accent)); }
.series-1 { --_series: var(--mqtt-series-2, light-dark(#b35900, #f0a35e)); }
.series-2 { --_series: var(--mqtt-series-3, light-dark(#176b40, #58cf90)); }
.series-3 { --_series: var(--mqtt-series-4, light-dark(#6a3a9f, #c8a8f3)); }
.series-4 { --_series: var(--mqtt-series-5, light-dark(#ab1f1a, #ff938a)); }
.series-5 { --_series: var(--mqtt-series-6, light-dark(#00687a, #5ccfe6)); }
.series-6 { --_series: var(--mqtt-series-7, light-dark(#7c5200, #e9b95a)); }
.series-7 { --_series: var(--mqtt-series-8, light-dark(#55625d, #98a59f)); }
[part~=line] { stroke: var(--_series); }
[part~=point] { fill: var(--_series); }
[part~=key] { background: var(--_series); }
@media (pointer: coarse) { button, input { min-height: 44px; min-width: 44px; } }
`;

let sheet: CSSStyleSheet | undefined;

/** Gives the element a shadow root with this style. A strict `style-src` allows constructed sheets. */
export function adopt(element: HTMLElement, ...children: Node[]): void {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  const root = element.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [sheet];
  root.append(...children);
}
