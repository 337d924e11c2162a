// Rules of the floor studio: edits, snapping, copies in a row, undo, tools, keys, imports.
import { describe, expect, it } from "vitest";

import type { Line, PlanFeature, Point, SiteMapDocument } from "../../src/console/map/site_map";
import { copiesOf } from "../../src/console/screens/studio/array_copy";
import { problemsIn } from "../../src/console/screens/studio/draft.svelte";
import { boxAround, cornersOn, freshId, moved, pointsOf, renamed, toMm, turned, withFeatures, withIds, without, withPoints, withProperty } from "../../src/console/screens/studio/edits";
import { withFloor, withFloorAdded } from "../../src/console/screens/studio/floors";
import { noHistory, redone, remembered, STEPS_MAX, undone } from "../../src/console/screens/studio/history";
import { formatOf, grown } from "../../src/console/screens/studio/importing.svelte";
import { commandOf } from "../../src/console/screens/studio/keys";
import { fitInto, placed, placedAt, sourceOf } from "../../src/console/screens/studio/placing";
import { isId, thresholdsOf, withRule } from "../../src/console/screens/studio/rule_fields";
import { footOn, snapped } from "../../src/console/screens/studio/snap";
import { featureDrawn, outlineDrawn, pointsNeeded, toolOf } from "../../src/console/screens/studio/tools";
import { seeded } from "./frames";

const box = (id: string, x: number, y: number, width: number, height: number): PlanFeature => ({
  type: "Feature",
  id,
  properties: { kind: "fixture", floor: 0 },
  geometry: { type: "Polygon", coordinates: [[[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]]] },
});
const face = (id: string, from: Point, to: Point, parent?: string): PlanFeature => ({
  type: "Feature",
  id,
  properties: { kind: "zone", zone_kind: "shelf", name: "Dowels", floor: 0, ...(parent === undefined ? {} : { parent }) },
  geometry: { type: "LineString", coordinates: [from, to] },
});
const shop = (...features: PlanFeature[]): SiteMapDocument => ({
  type: "FeatureCollection",
  inaisle: { version: 1, crs: "local", site: "s", name: "S", floors: [{ floor: 0, name: "0", width_m: 20, height_m: 10 }] },
  features,
});
const anchor: PlanFeature = { type: "Feature", id: "u1", properties: { kind: "anchor", radio: "uwb", floor: 0 }, geometry: { type: "Point", coordinates: [1, 2, 3] } };
const lift: PlanFeature = { type: "Feature", id: "lift-1", properties: { kind: "connector", stops: [{ floor: 0, at: [3, 4] }, { floor: 1, at: [3, 4] }] }, geometry: null };

describe("edits", () => {
  it("round to the millimetre, so that no noise of a hand is published", () => {
    expect([toMm(1.23456), toMm(-0.0001), toMm(0.1 + 0.2)]).toEqual([1.235, 0, 0.3]);
    const random = seeded(3);
    for (let run = 0; run < 200; run++) {
      const feature = moved(box("a", random() * 9, random() * 9, random() + 0.1, 1), 0, random(), -random());
      for (const point of pointsOf(feature, 0)) for (const value of point) expect(Math.abs(value * 1000 - Math.round(value * 1000))).toBeLessThan(1e-6);
    }
  });

  it("keep rings closed, heights of anchors, stops on other floors, and holes", () => {
    const turnedBox = turned(box("a", 0, 0, 4, 2), 0, 90, [0, 0]);
    expect(turnedBox.geometry).toEqual({ type: "Polygon", coordinates: [[[0, 0], [0, 4], [-2, 4], [-2, 0], [0, 0]]] });
    expect(moved(anchor, 0, 1, 1).geometry).toEqual({ type: "Point", coordinates: [2, 3, 3] });
    expect(moved(lift, 0, 1, 0).properties.stops).toEqual([{ floor: 1, at: [3, 4] }, { floor: 0, at: [4, 4] }]);
    const holed: PlanFeature = { ...box("a", 0, 0, 9, 9), geometry: { type: "Polygon", coordinates: [[[0, 0], [9, 0], [9, 9], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]] } };
    expect(moved(holed, 0, 1, 0).geometry?.coordinates[1]).toEqual([[2, 1], [3, 1], [3, 2], [2, 1]]);
  });

  it("turning four times by a quarter is nothing", () => {
    let feature = box("a", 1.111, 2.222, 3.3, 1);
    for (let time = 0; time < 4; time++) feature = turned(feature, 0, 90, [5, 5]);
    expect(feature).toEqual(box("a", 1.111, 2.222, 3.3, 1));
  });

  it("give ids to what has none, and never one that is taken", () => {
    const wall: PlanFeature = { type: "Feature", properties: { kind: "wall" }, geometry: { type: "LineString", coordinates: [[0, 0], [1, 0]] } };
    expect(withIds(shop({ ...wall, id: "wall-1" }, wall, wall)).features.map((one) => one.id)).toEqual(["wall-1", "wall-2", "wall-3"]);
    expect(freshId(new Set(["a-1", "a-3"]), "a")).toBe("a-2");
  });

  it("change, add, remove and rename without touching the document before", () => {
    const before = shop(box("a", 0, 0, 1, 1), face("f", [0, 0], [1, 0], "a"));
    const after = renamed(withFeatures(before, [box("a", 5, 5, 1, 1), box("b", 0, 0, 1, 1)]), "a", "rack");
    expect(after.features.map((one) => [one.id, one.properties.parent])).toEqual([["rack", undefined], ["f", "rack"], ["b", undefined]]);
    expect(without(after, new Set(["rack", "f"])).features.map((one) => one.id)).toEqual(["b"]);
    expect(before.features.map((one) => one.id)).toEqual(["a", "f"]);
    expect(withProperty(box("a", 0, 0, 1, 1), "gateway", "").properties).not.toHaveProperty("gateway");
    expect(cornersOn(before, 0, new Set(["a"]))).toEqual([[[0, 0], [1, 0]]]);
    expect(withPoints(lift, [[1, 1]], 1).properties.stops).toEqual([{ floor: 0, at: [3, 4] }, { floor: 1, at: [1, 1] }]);
    expect(boxAround([], 0)).toBeNull();
  });

  it("change floors within what a building has", () => {
    const grownShop = grown(shop(), 0, [box("a", 18, 0, 4.2, 12)]);
    expect(grownShop.inaisle.floors[0]).toMatchObject({ width_m: 23, height_m: 12 });
    const { document, floor } = withFloorAdded(shop());
    expect([floor, document.inaisle.floors.length]).toEqual([1, 2]);
    expect(withFloor(document, 1, { width_m: 1e9, name: "Top" }).inaisle.floors[1]).toMatchObject({ width_m: 2_000, name: "Top" });
  });
});

describe("snapping", () => {
  const lines: readonly Line[] = [[[7.6, 5], [7.6, 11]], [[0, 0], [4, 0]]];
  const rules = { reach_m: 0.2, grid_m: 0.5, axis_from: null, lines };

  it("catches corners before edges, edges before the grid", () => {
    expect(snapped([7.65, 5.05], rules)).toEqual({ point: [7.6, 5], by: "corner" });
    expect(snapped([7.7, 8.123], rules)).toEqual({ point: [7.6, 8.123], by: "edge" });
    expect(snapped([2.2, 3.3], rules)).toEqual({ point: [2, 3.5], by: "grid" });
    expect(snapped([2.20049, 3.3], { ...rules, grid_m: null })).toEqual({ point: [2.2, 3.3], by: "nothing" });
  });

  it("keeps to the axis with shift, and lends a corner's other coordinate", () => {
    expect(snapped([7.5, 4.9], { ...rules, axis_from: [1, 4.2], grid_m: null }).point).toEqual([7.6, 4.2]);
    expect(snapped([1.4, 9], { ...rules, axis_from: [1, 4.2] }).point).toEqual([1, 9]);
  });

  it("never goes farther than it reaches", () => {
    const random = seeded(8);
    for (let run = 0; run < 500; run++) {
      const point: Point = [random() * 10, random() * 12];
      const caught = snapped(point, { ...rules, grid_m: null });
      expect(Math.hypot(caught.point[0] - point[0], caught.point[1] - point[1])).toBeLessThanOrEqual(0.2 + 0.001);
    }
    expect(footOn([1, 1], [1, 1], [5, 5])).toEqual([1, 1]);
  });
});

describe("copies in a row", () => {
  it("makes twelve shelves every six metres, with ids and names of their own", () => {
    const made = copiesOf([box("rack-1", 0, 0, 1, 5)], 0, { count: 12, step_m: 6, direction: "right", twin_aisle_m: null }, new Set(["rack-1"]));
    expect(made).toHaveLength(11);
    expect(made.map((one) => one.id)).toEqual(Array.from({ length: 11 }, (_, number) => `rack-${number + 2}`));
    expect(pointsOf(made[10] as PlanFeature, 0)[0]).toEqual([66, 0]);
  });

  it("mirrors both sides of an aisle so that each strip lies in the aisle", () => {
    const parts = [box("rack-1", 0, 0, 1, 5), face("dowels", [1, 5], [1, 0], "aisle")];
    const made = copiesOf(parts, 0, { count: 1, step_m: 6, direction: "right", twin_aisle_m: 2 }, new Set(["rack-1", "dowels", "aisle"]));
    expect(made.map((one) => [one.id, one.properties.parent, one.properties.name])).toEqual([["rack-2", undefined, undefined], ["dowels-1", "aisle", "Dowels 1"]]);
    expect(made[1]?.geometry?.coordinates).toEqual([[3, 0], [3, 5]]);
    expect(pointsOf(made[0] as PlanFeature, 0).map(([x]) => x).sort()).toEqual([3, 3, 4, 4]);
  });

  it("is bounded, whatever number somebody types", () => {
    expect(copiesOf([anchor], 0, { count: 1e9, step_m: 1, direction: "up", twin_aisle_m: null }, new Set()).length).toBeLessThan(200);
  });
});

describe("undo", () => {
  it("goes back and forth, forgets what a new change has overtaken, and is bounded", () => {
    let [history, state] = [noHistory<number>(), 0];
    for (let next = 1; next <= STEPS_MAX + 5; next++) [history, state] = [remembered(history, state), next];
    expect(history.past).toHaveLength(STEPS_MAX);
    const back = undone(history, state);
    expect(back?.state).toBe(STEPS_MAX + 4);
    expect(redone(back?.history ?? history, back?.state ?? 0)?.state).toBe(state);
    expect(redone(remembered(back?.history ?? history, 1), 2)).toBeNull();
    expect(undone(noHistory<number>(), 0)).toBeNull();
  });
});

describe("tools and keys", () => {
  it("makes a box of two corners in any order", () => {
    expect(outlineDrawn("fixture", [[4, 5], [1, 2]], true)).toEqual([[1, 2], [4, 2], [4, 5], [1, 5]]);
    const drawn = featureDrawn("zone", [[0, 0], [2, 1]], { isBox: true, floor: 1, id: "zone-1" });
    expect([drawn.properties.floor, drawn.properties.name, pointsOf(drawn, 1)]).toEqual([1, "zone-1", [[0, 0], [2, 0], [2, 1], [0, 1]]]);
    expect(featureDrawn("anchor", [[1, 1]], { isBox: true, floor: 0, id: "a" }).geometry).toEqual({ type: "Point", coordinates: [1, 1, 3] });
    expect(featureDrawn("connector", [[1, 1]], { isBox: true, floor: 0, id: "a" })).toMatchObject({ geometry: null, properties: { stops: [{ floor: 0, at: [1, 1] }] } });
    expect([pointsNeeded("face", false), pointsNeeded("zone", false).min, pointsNeeded("select", true).min]).toEqual([{ min: 2, max: 2 }, 3, Infinity]);
  });

  it("does by keys what the pointer does", () => {
    const pressed = (key: string, more = {}): ReturnType<typeof commandOf> => commandOf({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });
    expect(pressed("ArrowUp")).toEqual({ do: "step", dx_m: 0, dy_m: 0.1 });
    expect(pressed("ArrowLeft", { shiftKey: true })).toEqual({ do: "step", dx_m: -1, dy_m: 0 });
    expect(pressed("ArrowRight", { altKey: true })).toMatchObject({ do: "push" });
    expect([pressed("3"), toolOf("x")]).toEqual([{ do: "use", tool: "face" }, null]);
    expect([pressed("z", { ctrlKey: true }), pressed("Z", { metaKey: true, shiftKey: true })]).toEqual([{ do: "undo" }, { do: "redo" }]);
    expect(["Enter", "f", "Backspace", "Escape", "Delete", "q"].map((key) => pressed(key)?.do ?? null)).toEqual(["set", "finish", "back", "escape", "delete", null]);
    expect(pressed("r", { ctrlKey: true })).toBeNull();
  });
});

describe("imports", () => {
  it("places pixels, and finds the pixel of a place again", () => {
    const fit = { x_m: 2, y_m: 30, m_per_px: 0.05, rotation_deg: 30 };
    const [x, y] = sourceOf(placedAt([120, 340], fit, true), fit, true);
    expect([x, y].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([120, 340]);
    expect(placedAt([0, 100], { ...fit, rotation_deg: 0 }, true)).toEqual([2, 25]);
    expect(placedAt([0, 0], fitInto([0, 0, 400, 200], 20, 10, true), true)).toEqual([0, 10]);
  });

  it("renames what is taken, keeps who belongs to whom, and puts all on the floor", () => {
    const document = shop(box("a", 0, 0, 1, 1));
    const made = placed([box("a", 2, 2, 1, 1), face("f", [0, 0], [1, 0], "a")].map((one) => ({ ...one, properties: { ...one.properties, floor: 0 } })), document, 0, null, false);
    expect(made.map((one) => [one.id, one.properties.parent])).toEqual([["a-1", undefined], ["f", "a-1"]]);
  });

  it("knows formats by their ending", () => {
    expect(["plan.DXF", "a.jpeg", "b.zip", "c.exe", "noending"].map(formatOf)).toEqual(["dxf", "image", "imdf", null, null]);
  });
});

describe("fields", () => {
  it("reads thresholds rising, at most four", () => {
    expect(thresholdsOf("300, 30; 120 30")).toEqual([30, 120, 300]);
    expect([thresholdsOf("1,2,3,4,5"), thresholdsOf("none")]).toEqual([[1, 2, 3, 4], undefined]);
    expect(withRule({ p_enter: 0.5 }, "p_enter", undefined)).toBeUndefined();
    expect(withRule(undefined, "dwell_thresholds_s", [30])).toEqual({ dwell_thresholds_s: [30] });
    expect([isId("rack-1"), isId("Rack"), isId(""), isId("<b>")]).toEqual([true, false, false, false]);
    expect([problemsIn(null), problemsIn({ problems: [] })]).toEqual([null, []]);
  });
});
