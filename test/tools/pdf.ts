/** Reads a PDF with a library that had no part in making it. */

import { getDocument, OPS } from 'pdfjs-dist/legacy/build/pdf.mjs';

/** A picture as RGBA, which QR readers take. */
export interface Picture {
  width: number;
  height: number;
  rgba: Uint8ClampedArray;
}

/** What a reader sees in a PDF. */
export interface PdfContent {
  pages: number;
  /** The text of all pages; pieces are joined by a space. */
  text: string;
  /** Each piece of text with its distance from the page's bottom. */
  pieces: { text: string; y: number }[];
  pictures: Picture[];
}

/** Takes a PDF apart. */
export async function readPdf(bytes: Buffer): Promise<PdfContent> {
  const task = getDocument({
    data: new Uint8Array(bytes),
    verbosity: 0,
    isOffscreenCanvasSupported: false,
    isImageDecoderSupported: false,
  });
  const document = await task.promise;
  const pieces: PdfContent['pieces'] = [];
  const pictures: Picture[] = [];
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    for (const item of items) {
      if ('str' in item && item.str !== '') pieces.push({ text: item.str, y: Number(item.transform[5]) });
    }
    const { fnArray, argsArray } = await page.getOperatorList();
    for (const [index, operator] of fnArray.entries()) {
      if (operator !== OPS.paintImageXObject) continue;
      const name = String(argsArray[index][0]);
      const image = await new Promise<{ width: number; height: number; data: Uint8Array }>((resolve) => {
        page.objs.get(name, resolve);
      });
      pictures.push(toRgba(image));
    }
  }
  const pages = document.numPages;
  await task.destroy();
  return { pages, text: pieces.map((piece) => piece.text).join(' '), pieces, pictures };
}

function toRgba(image: { width: number; height: number; data: Uint8Array }): Picture {
  const { width, height, data } = image;
  const pixels = width * height;
  const channels = data.length / pixels;
  const rgba = new Uint8ClampedArray(pixels * 4).fill(255);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    for (let c = 0; c < 3; c += 1) {
      rgba[pixel * 4 + c] = data[pixel * channels + Math.min(c, channels - 1)] ?? 0;
    }
  }
  return { width, height, rgba };
}
