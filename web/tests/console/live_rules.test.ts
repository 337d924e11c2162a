// Rules of the live map: who is where, how long to wait, whose clock is off, what a heat cell says.
import { describe, expect, it } from "vitest";

import type { SiteMapDocument } from "../../src/console/map/site_map";
import { Crowd } from "../../src/console/screens/live/crowd";
import { waitMs } from "../../src/console/screens/live/feed";
import { lagOf, skewOf } from "../../src/console/screens/live/feed_clock";
import { cellOf, dayIn } from "../../src/console/screens/live/heat_today";
import { decodeFrame } from "../../src/console/screens/live/wire";
import { medianOf, ZoneTally } from "../../src/console/screens/live/zone_tally";
import { positionsFrame, rosterFrame } from "./frames";

const SHOP: SiteMapDocument = {
  type: "FeatureCollection",
  inaisle: { version: 1, crs: "local", site: "s", name: "S", floors: [{ floor: 0, name: "0", width_m: 20, height_m: 10 }] },
  features: [
    { type: "Feature", id: "hall", properties: { kind: "zone", zone_kind: "department", name: "Hall", floor: 0 }, geometry: { type: "Polygon", coordinates: [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]] } },
    { type: "Feature", id: "dowels", properties: { kind: "zone", zone_kind: "shelf", name: "Dowels", floor: 0, parent: "hall" }, geometry: { type: "LineString", coordinates: [[2, 2], [6, 2]] } },
    { type: "Feature", id: "up", properties: { kind: "zone", zone_kind: "shelf", name: "Up", floor: 1 }, geometry: { type: "Polygon", coordinates: [[[0, 0], [10, 0], [10, 10], [0, 0]]] } },
  ],
};

describe("ZoneTally", () => {
  it("tells people and median dwell of each zone of the floor, and begins anew after an absence", () => {
    const tally = new ZoneTally(SHOP, 0);
    const crowd = new Crowd();
    crowd.take(decodeFrame(rosterFrame(["a", "b"])));
    const at = (ms: number, ...places: ([number, number] | null)[]): ReturnType<ZoneTally["count"]> => {
      crowd.take(decodeFrame(positionsFrame(places, ms)));
      return tally.count(crowd, ms);
    };
    at(1_000, [3, 3], null);
    const rows = at(8_000, [3, 3], [9, 9]);
    expect(rows.map((row) => [row.name, row.people, row.dwell_s_median])).toEqual([["Hall", 2, 3.5], ["Dowels", 1, 7]]);
    at(9_000, [15, 5], null);
    expect(at(30_000, [3, 3], null).map((row) => row.dwell_s_max)).toEqual([0, 0]);
    expect(tally.namesAt(3, 3)).toEqual(["Dowels", "Hall"]);
  });

  it("takes the middle of even and odd numbers of dwells", () => {
    expect([medianOf([]), medianOf([4]), medianOf([1, 3]), medianOf([1, 2, 9])]).toEqual([0, 4, 2, 2]);
  });
});

describe("the feed", () => {
  it("waits longer each time, but never for more than a quarter of a minute", () => {
    expect(waitMs(0, 1)).toBe(500);
    expect(waitMs(3, 0)).toBe(2_000);
    for (let attempt = 0; attempt < 40; attempt++) expect(waitMs(attempt, 1)).toBeLessThanOrEqual(15_000);
  });

  it("tells a clock that is off, and not the lag of the events", () => {
    expect(skewOf({ at_ms: 1_000, lag_ms: 8_000, speed: 1, received_ms: 9_100 })).toBe(0);
    expect(skewOf({ at_ms: 1_000, lag_ms: 0, speed: 1, received_ms: 61_000 })).toBe(60_000);
    expect(skewOf(null)).toBe(0);
  });

  it("takes the day of a demo for another one, and its lag in our seconds", () => {
    const clock = { at_ms: 1_000, lag_ms: 3_000, speed: 10, received_ms: 9_999_000 };
    expect(skewOf(clock)).toBe(0);
    expect(lagOf(clock)).toBe(300);
  });
});

describe("heat of today", () => {
  it("is asked for the day of the shop, not of the reader", () => {
    expect(dayIn("Europe/Berlin", Date.UTC(2026, 10, 22, 23, 30))).toBe("2026-11-23");
  });

  it("is told in person-minutes", () => {
    expect(cellOf({ column: 1, row: 2, density_s_m2: 90 })).toEqual({ column: 1, row: 2, value: 1.5 });
    expect(cellOf({ column: 1, row: null, density_s_m2: 90 })).toBeNull();
  });
});
