// Write a QR code. Takes: a text. Gives: one path of an SVG, and its size in modules.
import { encode } from "uqr";

/** Return the dark modules as a path; runs of a row are one rectangle, so that it stays short. */
export function qrPath(text: string, quiet = 4): { path: string; size: number } {
  const { data, size } = encode(text, { ecc: "M", border: quiet });
  const parts: string[] = [];
  for (const [y, row] of data.entries()) {
    let x = 0;
    while (x < row.length) {
      if (!row[x]) {
        x += 1;
        continue;
      }
      const from = x;
      while (row[x]) x += 1;
      parts.push(`M${from} ${y}h${x - from}v1h-${x - from}z`);
    }
  }
  return { path: parts.join(""), size };
}
