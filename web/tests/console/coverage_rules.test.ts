// Rules of the coverage screen: cells as they come packed, anchors that are tried elsewhere.
import { describe, expect, it } from "vitest";

import type { SiteMapDocument } from "../../src/console/map/site_map";
import { bytesOf, coverageOf, type CoverageAnswer } from "../../src/console/screens/coverage/coverage_answer";
import { anchorsOn, placeOf, withAnchorAdded, withAnchorAt, withAnchorsOf, withoutAnchor } from "../../src/console/screens/coverage/what_if";

const packed = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const answer = (more: Partial<CoverageAnswer> = {}): CoverageAnswer => ({
  floor: 0,
  kind: "range",
  cell_m: 0.5,
  columns: 2,
  rows: 1,
  x0_m: 0,
  y0_m: 0,
  error_cm: packed(new Uint8Array(new Uint16Array([35, 65_535]).buffer)),
  anchors_heard: packed(new Uint8Array([4, 2])),
  fewer_than_three_m2: 0.25,
  p50_m: 0.35,
  p95_m: 0.35,
  best: null,
  ...more,
});
const SHOP: SiteMapDocument = {
  type: "FeatureCollection",
  inaisle: { version: 1, crs: "local", site: "s", name: "S", floors: [{ floor: 0, name: "0", width_m: 20, height_m: 10 }] },
  features: [
    { type: "Feature", id: "b1", properties: { kind: "anchor", radio: "ble", floor: 0, gateway: "gw" }, geometry: { type: "Point", coordinates: [1, 2, 2.5] } },
    { type: "Feature", id: "b2", properties: { kind: "anchor", radio: "ble", floor: 1 }, geometry: { type: "Point", coordinates: [1, 2, 2.5] } },
    { type: "Feature", id: "w", properties: { kind: "wall", floor: 0 }, geometry: { type: "LineString", coordinates: [[0, 0], [1, 0]] } },
  ],
};

describe("coverageOf", () => {
  it("reads metres, and leaves cells clear that nobody can be in", () => {
    const { error_m, heard } = coverageOf(answer());
    expect(error_m.values[0]).toBeCloseTo(0.35);
    expect(error_m.values[1]).toBeNaN();
    expect([...heard.values]).toEqual([4, 2]);
  });

  it("refuses cells that do not fill their rows", () => {
    expect(() => coverageOf(answer({ rows: 2 }))).toThrow("2 × 2");
    expect([...bytesOf(packed(new Uint8Array([0, 255])))]).toEqual([0, 255]);
  });
});

describe("anchors that are tried", () => {
  it("stay on the floor, at their height, with their gateway", () => {
    const [anchor] = anchorsOn(SHOP, 0);
    if (anchor === undefined) throw new Error("no anchor");
    const [tried] = anchorsOn(withAnchorAt(SHOP, anchor, [99, 3.00049]), 0);
    expect(tried && placeOf(tried)).toEqual([20, 3, 2.5]);
    expect(tried?.properties.gateway).toBe("gw");
    expect(placeOf(anchor)).toEqual([1, 2, 2.5]);
  });

  it("are added in the radio of the floor, left out, and taken into another document", () => {
    const more = withAnchorAdded(SHOP, 0, [5, 5]);
    expect(anchorsOn(more, 0).map((one) => [one.id, one.properties.radio])).toEqual([["b1", "ble"], ["new-1", "ble"]]);
    const draft = { ...SHOP, features: SHOP.features.slice(2) };
    expect(withAnchorsOf(draft, withoutAnchor(more, "b1")).features.map((one) => one.id)).toEqual(["w", "b2", "new-1"]);
  });
});
