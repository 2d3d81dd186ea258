/** Colours of the parts, light and dark. */
const style = `
text { font: 12px system-ui, sans-serif; fill: #1c2733 }
.title { font-size: 15px; font-weight: 600 }
.detail { font-size: 10px; fill: #51606f }
rect { fill: #fff; stroke: #8897a6; stroke-width: 1 }
line { stroke: #8897a6; stroke-width: 1.5 }
.page { fill: #fff; stroke: none }
.group { fill: #f4f6f8; stroke: #d4dbe2 }
.vlan { fill: #e3f0fb; stroke: #4a90c4 }
.control-plane { fill: #fdebd3; stroke: #d08a2e }
.worker { fill: #e4f4e6; stroke: #4f9d5b }
.gateway, .pool, .router { fill: #efe8f9; stroke: #8a6bbf }
.span { fill: #cfdff0; stroke: #4a90c4 }
.critical { fill: #f4b266; stroke: #d08a2e }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.detail { fill: #9fb0c0 }
rect { fill: #1f2933; stroke: #6b7c8d }
.page { fill: #10171e }
.group { fill: #17202a; stroke: #33414f }
.vlan { fill: #16324a; stroke: #4a90c4 }
.control-plane { fill: #43301a; stroke: #d08a2e }
.worker { fill: #1b3a22; stroke: #4f9d5b }
.gateway, .pool, .router { fill: #33274a; stroke: #8a6bbf }
.span { fill: #16324a; stroke: #4a90c4 }
.critical { fill: #7a4d16; stroke: #d08a2e }
}`;

/** A whole SVG. @param parts What `box`, `line` and `label` give. */
export function picture(
  width: number,
  height: number,
  title: string,
  parts: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${style}
</style>
<rect class="page" width="${width}" height="${height}"/>
<text class="title" x="24" y="34">${escaped(title)}</text>
${parts.join("\n")}
</svg>
`;
}

/** A rectangle with a name and a line below it, each cut to its width; the whole is its tooltip. */
export function box(
  kind: string,
  x: number,
  y: number,
  width: number,
  height: number,
  title = "",
  detail = "",
): string {
  const at = (value: number) => Math.round(value * 10) / 10;
  const middle = y + height / 2;
  const texts = [
    ...(title
      ? [text(x + 10, detail ? middle - 2 : middle + 4, fitted(title, width - 20, 6.8))]
      : []),
    ...(detail ? [text(x + 10, middle + 13, fitted(detail, width - 20, 5.6), "detail")] : []),
  ];
  const tooltip = [title, detail].filter(Boolean).join(", ");
  return `<g>${tooltip ? `<title>${escaped(tooltip)}</title>` : ""}<rect class="${kind}" x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="5"/>${texts.join("")}</g>`;
}

/** A bar of a timeline, at least one pixel wide; the words are its tooltip. */
export function bar(
  kind: string,
  x: number,
  y: number,
  width: number,
  height: number,
  words: string,
): string {
  const at = (value: number) => Math.round(value * 10) / 10;
  return `<g><title>${escaped(words)}</title><rect class="${kind}" x="${at(x)}" y="${at(y)}" width="${at(Math.max(1, width))}" height="${at(height)}" rx="2"/></g>`;
}

export function label(x: number, y: number, words: string): string {
  return text(x, y, words);
}

export function line(fromX: number, fromY: number, toX: number, toY: number): string {
  const [x1, y1, x2, y2] = [fromX, fromY, toX, toY].map((value) => Math.round(value * 10) / 10);
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

function text(x: number, y: number, words: string, kind?: string): string {
  const at = [x, y].map((value) => Math.round(value * 10) / 10);
  const named = kind === undefined ? "" : ` class="${kind}"`;
  return `<text${named} x="${at[0]}" y="${at[1]}">${escaped(words)}</text>`;
}

/** @param each Width of a character, in pixels: a little more than most have. */
function fitted(words: string, width: number, each: number): string {
  const most = Math.floor(width / each);
  return words.length > most ? `${words.slice(0, Math.max(1, most - 1))}…` : words;
}

function escaped(words: string): string {
  return words.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
