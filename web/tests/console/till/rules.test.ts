// Rules of the till: what a scanner typed, what a basket costs, what is sent again.
import { describe, expect, it } from "vitest";

import { basketBody, minorOf, totalMinor, withLine, withQuantity, type Line } from "../../../src/console/screens/till/basket";
import { isArticle, scannedOf } from "../../../src/console/screens/till/scanned";
import { hear, SILENCE } from "../../../src/console/screens/till/wedge";

const DOWELS: Line = { sku: "D-1", category: "dowels", name: "Dübel", quantity: 1, unit_price_minor: 449 };

describe("scannedOf", () => {
  it.each([
    ["C10123456789ABCDEFGHJKMNPQ", "card"],
    ["1234567890123456789012", "card"],
    ["7K2M-9QXD-4TRB", "coupon"],
    ["7k2m9qxd4trb", "coupon"],
    ["]d2255401234500001658392017465539022 00", "coupon"],
    ["(255)4012345000016583920174655(3902)200", "coupon"],
    ["17231115255401234500001658392017465\u001d3902200", "coupon"],
    ["IC1.0a1b2c3d.eyJi.c2ln", "signed"],
    ["4006381333931", "product"],
    ["Schraubenset", "words"],
    ["dübel 8", "words"],
  ])("takes %j for a %s", (typed, kind) => {
    expect(scannedOf(typed)?.kind).toBe(kind);
  });

  it("takes a number whose check digit is wrong for no article", () => {
    expect(isArticle("4006381333932")).toBe(false);
  });

  it("makes nothing of nothing", () => {
    expect(scannedOf("  ")).toBeNull();
  });
});

describe("hear", () => {
  const typed = (keys: string[], gap_ms: number) =>
    keys.reduce(
      ({ heard }, key, place) => hear(heard, key, place * gap_ms),
      { heard: SILENCE, code: null as string | null },
    );

  it("gives the code that a scanner has typed and ended with Enter", () => {
    expect(typed([..."7K2M-9QXD", "Enter"], 8).code).toBe("7K2M-9QXD");
  });

  it("does not take a hand for a scanner", () => {
    expect(typed([..."7K2M-9QXD", "Enter"], 120).code).toBeNull();
  });

  it("keeps the separator of GS1, which comes as F8, and forgets Shift", () => {
    expect(typed(["2", "5", "5", "F8", "Shift", "3", "Enter"], 5).code).toBe("255\u001d3");
  });
});

describe("the basket", () => {
  it("keeps the same thing at the same price in one line", () => {
    const lines = withLine([DOWELS], { ...DOWELS, quantity: 2 });
    expect(lines).toEqual([{ ...DOWELS, quantity: 3 }]);
    expect(withLine(lines, { ...DOWELS, unit_price_minor: 399 })).toHaveLength(2);
  });

  it("sums in minor units, where 0.1 + 0.2 is 0.3", () => {
    const lines = [
      { ...DOWELS, unit_price_minor: 10 },
      { ...DOWELS, sku: "D-2", unit_price_minor: 20 },
    ];
    expect(totalMinor(lines)).toBe(30);
    expect(totalMinor(withQuantity(lines, 0, 0))).toBe(20);
  });

  it("sends no name: the server has its own", () => {
    expect(basketBody([DOWELS], "EUR").lines).toEqual([
      { sku: "D-1", category: "dowels", quantity: 1, unit_price_minor: 449 },
    ]);
  });

  it.each([
    ["4,49", 449],
    ["4.49", 449],
    ["4", 400],
    ["0,5", 50],
    ["1.234,50", 123450],
    ["1,234.50 €", 123450],
  ])("reads %j as %i cents", (typed, minor) => {
    expect(minorOf(typed)).toBe(minor);
  });

  it.each(["", "0", "4,999", "-3", "4,4,4", "1.234.5", "1.234", "12a", "1e3"])("takes %j for no amount", (typed) => {
    expect(minorOf(typed)).toBeNull();
  });
});
