// The linear code: symbols, check and bars as the standard has them.
import { describe, expect, it } from "vitest";

import { barsOf, symbolsOf, widthsOf } from "../../src/card/codes/code128";
import { qrPath } from "../../src/card/codes/qr";

describe("a linear code", () => {
  it("packs digits in pairs and letters one by one", () => {
    expect(symbolsOf("1234")).toEqual([105, 12, 34, (105 + 12 + 2 * 34) % 103]);
    expect(symbolsOf("AB")).toEqual([104, 33, 34, (104 + 33 + 2 * 34) % 103]);
  });

  it("changes the set where that is shorter, and back for a digit that is left over", () => {
    expect(symbolsOf("A123456").slice(0, -1)).toEqual([104, 33, 99, 12, 34, 56]);
    expect(symbolsOf("12345").slice(0, -1)).toEqual([105, 12, 34, 100, 21]);
  });

  it("makes every symbol eleven modules wide and the stop thirteen", () => {
    const widths = widthsOf("7K2M-9QXD-4TRB");
    expect(widths.reduce((sum, width) => sum + width, 0)).toBe(11 * 16 + 13);
  });

  it("keeps a quiet zone of ten modules on either side", () => {
    const { bars, width } = barsOf("00");
    expect(bars[0]?.x).toBe(10);
    expect(width - (bars.at(-1)?.x ?? 0) - (bars.at(-1)?.width ?? 0)).toBe(10);
  });

  it("refuses what it cannot write", () => {
    expect(() => symbolsOf("ü")).toThrow();
    expect(() => symbolsOf("")).toThrow();
  });
});

describe("a QR code", () => {
  it("is a square with a quiet zone, whose path stays short", () => {
    const { path, size } = qrPath("C14H2R90QK7K2M9QXD4TRB0123");
    expect(size).toBe(25 + 8);
    expect(path.startsWith("M4 4h7v1h-7z")).toBe(true);
    expect(path.length).toBeLessThan(6_000);
  });
});
