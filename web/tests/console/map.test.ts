// Rules of the map: outlines, labels, scale bar, colours.
import { describe, expect, it } from "vitest";

import { gridOf, pixelsOf, quantileOf } from "../../src/console/map/grid";
import { scaleBarOf } from "../../src/console/map/metre_projection";
import { areaOf, isInside, labelLie, lengthOf, middleOf, uprightAngle } from "../../src/console/map/outlines";
import { rampOf } from "../../src/console/map/ramp";
import { floorOf, outlineOf, stripOf, unclosed, type Line } from "../../src/console/map/site_map";

const box = (width: number, height: number): Line => [[0, 0], [width, 0], [width, height], [0, height]];

describe("outlines", () => {
  it("measures a box", () => {
    expect([areaOf(box(4, 3)), lengthOf([[0, 0], [3, 4], [3, 5]])]).toEqual([12, 6]);
    expect(middleOf(box(4, 2))).toEqual([2, 1]);
    expect([isInside(box(4, 3), 1, 1), isInside(box(4, 3), 5, 1)]).toEqual([true, false]);
  });

  it("lays a name along a narrow shelf, never on its head, and level in a square", () => {
    expect(labelLie(box(1, 6))).toEqual({ angle: -Math.PI / 2, length_m: 6 });
    expect(labelLie(box(6, 1)).angle).toBeCloseTo(0);
    expect(labelLie(box(5, 5))).toEqual({ angle: 0, length_m: 5 });
    for (let angle = -7; angle < 7; angle += 0.01) expect(Math.abs(uprightAngle(angle))).toBeLessThanOrEqual(Math.PI / 2 + 1e-9);
  });

  it("draws the strip before a shelf as the service does", () => {
    expect(stripOf([[0, 0], [2, 0]])).toEqual([[0, 0.2], [2, 0.2], [2, 1.2], [0, 1.2]]);
    expect(stripOf([[1, 1], [1, 1]])).toEqual([]);
    const face = { type: "Feature", geometry: { type: "LineString", coordinates: box(1, 0).slice(0, 2) }, properties: { kind: "zone" } } as const;
    expect(outlineOf(face)).toHaveLength(4);
    expect(outlineOf({ ...face, properties: { kind: "wall" } })).toEqual([]);
    expect(unclosed([[0, 0], [1, 0], [0, 0]])).toEqual([[0, 0], [1, 0]]);
  });

  it("falls back to the lowest floor where an address names one that is not there", () => {
    const floors = [{ floor: 1, name: "1", width_m: 1, height_m: 1 }, { floor: -1, name: "-1", width_m: 1, height_m: 1 }];
    const shop = { type: "FeatureCollection", inaisle: { version: 1, crs: "local", site: "s", name: "S", floors }, features: [] } as const;
    expect([floorOf(shop, 7).floor, floorOf(shop, 1).floor]).toEqual([-1, 1]);
  });
});

describe("scale bar", () => {
  it("is a round length that fits", () => {
    for (const m_per_px of [0.003, 0.05, 0.2, 1.7]) {
      const bar = scaleBarOf(m_per_px, 120);
      expect(bar.width_px).toBeLessThanOrEqual(120 + 1e-6);
      expect(bar.width_px).toBeGreaterThan(120 / 2.51);
      expect(["1", "2", "5"]).toContain(bar.length_m.toPrecision(1).replace(/e.*|0\.0*|0/g, "") || "1");
    }
  });
});

describe("heat", () => {
  it("leaves cells clear that are not told, and puts the highest row first", () => {
    const grid = gridOf([{ column: 1, row: 0, value: 4 }, { column: 0, row: 1, value: 1 }], 0.5);
    if (grid === null) throw new Error("no grid");
    const ramp = rampOf("heat", false);
    const pixels = pixelsOf(grid, { low: 0, high: 4, isRooted: true }, ramp);
    expect([...pixels.subarray(4, 8)]).toEqual([0, 0, 0, 0]);
    expect(pixels.subarray(12, 16)).toEqual(ramp.bytes.subarray(255 * 4));
    expect(pixels.subarray(0, 4)).toEqual(ramp.bytes.subarray(128 * 4, 129 * 4));
    expect(quantileOf(grid.values, 0.99)).toBe(4);
    expect(gridOf([], 1)).toBeNull();
  });

  it("grows steadily darker on a light ground and lighter on a dark one", () => {
    for (const isDark of [false, true]) {
      const { bytes } = rampOf("error", isDark);
      const light = (step: number): number => 0.2126 * (bytes[step * 4] ?? 0) + 0.7152 * (bytes[step * 4 + 1] ?? 0) + 0.0722 * (bytes[step * 4 + 2] ?? 0);
      for (let step = 16; step < 256; step += 16) expect(Math.sign(light(step) - light(step - 16))).toBe(isDark ? 1 : -1);
    }
  });
});
