// Addresses behind #: a link in a mail must open the screen that it names.
import { describe, expect, it } from "vitest";

import { hashOf, placeOf } from "../../src/kit/route.svelte";

describe("placeOf", () => {
  it("reads back what hashOf has written", () => {
    const place = placeOf(hashOf("heatmap", { zone: "dowels & screws", from: "2026-11-21", x: null }));
    expect(place.screen).toBe("heatmap");
    expect(place.query.get("zone")).toBe("dowels & screws");
    expect(place.query.has("x")).toBe(false);
  });

  it("shows a mistyped address as it is instead of failing", () => {
    expect(placeOf("#/offer/%E0%A4%A").rest).toEqual(["%E0%A4%A"]);
  });
});
