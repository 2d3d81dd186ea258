import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { inflateSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, expect, it } from "vitest";
import { stackPicture } from "../../commands/picture/stack.ts";
import { loadConfig } from "../../config/load.ts";
import { describeWhere } from "../needs.ts";
import { configOf } from "../stacks.ts";
import { stackOf } from "../verify/simulated.ts";

// The pictures as a browser draws them; where there is none on PATH, nothing is said of that.

const browser = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const folder = mkdtempSync(join(tmpdir(), "screenshot-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pictures: [string, () => string][] = [
  ["three nodes", () => stackPicture(configOf("articles"))],
  ["gateways, pools and routers", () => stackPicture(configOf("services"))],
  ["a hundred nodes", () => stackPicture(loadConfig(stackOf(100), "test.yaml"))],
];

describeWhere(browser !== undefined, "Chromium on PATH")("in a browser", () => {
  it.each(pictures)("%s, light and dark", { timeout: 300_000 }, async (_, draw) => {
    const svg = draw();
    const [, width = 0, height = 0] = (svg.match(/viewBox="0 0 (\d+) (\d+)"/) ?? []).map(Number);
    const shown = read(await shot([svg, darkened(svg)], width, height), height, 2);
    expect(shown.width).toBe(width);
    for (const colours of shown.colours) expect(colours.size).toBeGreaterThan(20);
    // The page itself: white, and nearly black.
    expect(shown.corners).toEqual(["ffffff", "10171e"]);
  });
});

/** With the colours of a reader whose setting is dark. */
function darkened(svg: string): string {
  return svg.replace("@media (prefers-color-scheme: dark)", "@media all");
}

/** Pictures of one size below one another, as a PNG. */
async function shot(svgs: string[], width: number, height: number): Promise<Buffer> {
  const [page, image] = [join(folder, "picture.html"), join(folder, "picture.png")];
  const shown = svgs.map(
    (svg) => `<img src="data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}">`,
  );
  writeFileSync(
    page,
    `<!doctype html><style>body { margin: 0 } img { display: block }</style>${shown.join("")}`,
  );
  await execa(browser as string, [
    ...["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
    ...["--disable-background-networking", `--user-data-dir=${join(folder, "profile")}`],
    ...[`--window-size=${width},${svgs.length * height + 200}`, `--screenshot=${image}`],
    pathToFileURL(page).href,
  ]);
  const png = readFileSync(image);
  const keep = process.env.OSLO_CLUSTER_SCREENSHOTS;
  if (keep) writeFileSync(join(keep, `${width}x${height}.png`), png);
  return png;
}

/** Of a PNG with eight bits a channel: its width; of each picture the colours in it, and the one in its corner. */
function read(png: Buffer, height: number, pictures: number) {
  const [width, depth, kind] = [png.readUInt32BE(16), png[24], png[25]];
  const channels = kind === 6 ? 4 : 3;
  expect([depth, kind === 6 || kind === 2]).toEqual([8, true]);
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * channels;
  let before = Buffer.alloc(stride);
  const colours = Array.from({ length: pictures }, () => new Set<number>());
  const corners: string[] = [];
  for (let y = 0; y < height * pictures; y++) {
    const filter = raw[y * (stride + 1)] as number;
    const line = Buffer.from(raw.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
    for (let x = 0; x < stride; x++) {
      const left = line[x - channels] ?? 0;
      const up = before[x] as number;
      const upLeft = before[x - channels] ?? 0;
      line[x] = (line[x] as number) + predicted(filter, left, up, upLeft);
    }
    const its = colours[Math.floor(y / height)] as Set<number>;
    for (let x = 0; x < stride; x += channels) its.add(line.readUIntBE(x, 3));
    if (y % height === 0) corners.push(line.toString("hex", 0, 3));
    before = line;
  }
  return { width, colours, corners };
}

/** PNG's filters (RFC 2083, 6). */
function predicted(filter: number, left: number, up: number, upLeft: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const estimate = left + up - upLeft;
  const [a, b, c] = [left, up, upLeft].map((one) => Math.abs(estimate - one)) as [
    number,
    number,
    number,
  ];
  return a <= b && a <= c ? left : b <= c ? up : upLeft;
}
