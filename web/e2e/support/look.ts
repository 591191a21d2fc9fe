import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { expect } from './fixtures';

/** Scale factor per side: turns text into an even grey, while the layout stays recognisable. */
const reduction = 8;
/** Maximum difference of a colour channel, out of 255. */
const sameColour = 32;
/** Times, rates and identifiers differ between runs, in up to 0.2 % of the pixels. */
const mayDiffer = 0.005;
/** Width of "mqttwasm" at 100 px in the page's font. Other fonts can't be compared. */
const storedWidth = 532;

const folder = fileURLToPath(new URL('../look/', import.meta.url));

/**
 * Compares a scaled-down screenshot with the stored image of that name, which holds the shots one below the
 * other. Retries until they match, because the page may take a moment to lay itself out after a resize.
 * LOOK=store in the environment updates the image.
 */
export async function lookOf(page: Page, name: string, share = mayDiffer) {
  const storing = process.env.LOOK === 'store';
  const path = `${folder}${name.replaceAll(/\W+/g, '-').toLowerCase()}.webp`;
  const comparable = storing || (await hasFonts(page, name));
  const stored = storing || !comparable ? undefined : readFileSync(path, 'base64');
  const workbench = await page.context().newPage();
  const shots: string[] = [];

  async function shoot(): Promise<string> {
    return (await page.screenshot({ animations: 'disabled' })).toString('base64');
  }

  return {
    async expect(where: string): Promise<void> {
      if (!comparable) return;
      let shot = '';
      const differing = async (): Promise<number> => {
        shot = await shoot();
        const compared = await workbench.evaluate(compare, {
          shots: [...shots, shot],
          stored,
          reduction,
          sameColour,
        });
        return compared.shares.at(-1) ?? 1;
      };
      if (storing) {
        const still = async (): Promise<boolean> => {
          const before = shot;
          shot = await shoot();
          return shot === before;
        };
        await expect.poll(still, { message: `${name}, ${where}: it comes to rest` }).toBe(true);
      } else {
        const message = `${name}, ${where}: share of it that does not look as in ${path} (make look stores it anew)`;
        await expect.configure({ soft: true }).poll(differing, { message }).toBeLessThanOrEqual(share);
      }
      shots.push(shot);
    },
    async done(): Promise<void> {
      if (storing) {
        const { reduced } = await workbench.evaluate(compare, { shots, stored, reduction, sameColour });
        await mkdir(folder, { recursive: true });
        await writeFile(path, reduced, 'base64');
      }
      await workbench.close();
    },
  };
}

/** Whether this machine has the fonts of the stored images. */
async function hasFonts(page: Page, name: string): Promise<boolean> {
  const width = await page.evaluate(() => {
    const context = new OffscreenCanvas(1, 1).getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.font = `100px ${getComputedStyle(document.body).fontFamily}`;
    return Math.round(context.measureText('mqttwasm').width);
  });
  if (width === storedWidth) return true;
  console.log(
    `${name}: not compared, this machine has other fonts (${width}) than the stored pictures (${storedWidth})`,
  );
  return false;
}

interface Comparison {
  /** Images as Base64. */
  shots: string[];
  stored: string | undefined;
  reduction: number;
  sameColour: number;
}

/** Runs in a page. Returns the scaled-down shots as one image (WebP), and the share of each that differs. */
async function compare({ shots, stored, reduction, sameColour }: Comparison) {
  const decode = async (
    png: string,
    options?: (width: number) => ImageBitmapOptions,
  ): Promise<ImageBitmap> => {
    const blob = await (await fetch(`data:image;base64,${png}`)).blob();
    const bitmap = await createImageBitmap(blob);
    return options ? createImageBitmap(bitmap, options(bitmap.width)) : bitmap;
  };
  const small = await Promise.all(
    shots.map((shot) =>
      decode(shot, (width) => ({ resizeWidth: Math.round(width / reduction), resizeQuality: 'high' })),
    ),
  );
  const canvas = new OffscreenCanvas(
    Math.max(...small.map(({ width }) => width)),
    small.reduce((sum, { height }) => sum + height, 0),
  );
  const context = canvas.getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  let below = 0;
  const areas = small.map((bitmap) => {
    const { width, height } = bitmap;
    const area = [0, below, width, height] as const;
    context.drawImage(bitmap, 0, below);
    below += height;
    return area;
  });
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.9 });
  const reader = new FileReader();
  const read = new Promise((resolve) => reader.addEventListener('load', resolve, { once: true }));
  reader.readAsDataURL(blob);
  await read;
  const reduced = String(reader.result).split(',')[1] ?? '';

  const pixels = areas.map((area) => context.getImageData(...area).data);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (stored !== undefined) context.drawImage(await decode(stored), 0, 0);
  const shares = areas.map((area, index) => {
    const now = pixels[index] as Uint8ClampedArray;
    const before = context.getImageData(...area).data;
    let differ = 0;
    for (let at = 0; at < now.length; at += 4) {
      const colours = [0, 1, 2, 3].map((channel) =>
        Math.abs((now[at + channel] ?? 0) - (before[at + channel] ?? 0)),
      );
      if (Math.max(...colours) > sameColour) differ++;
    }
    return differ / (now.length / 4);
  });
  return { reduced, shares };
}
