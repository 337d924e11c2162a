// Rules of the programme's screen: where a fault stands, what a revision changed, whether a colour can be read.
import { describe, expect, it } from "vitest";

import { base64Of, brandOf, contrastToWhite, withBrand } from "../../../src/console/screens/programme/brand";
import { changesOf } from "../../../src/console/screens/programme/document_diff";
import { placeIn } from "../../../src/console/screens/programme/json_place";

describe("placeIn", () => {
  const TEXT = `{
  "units": [{"unit": "points", "note": "a \\"}] b"}],
  "earning": [
    {"rule": "one"},
    {"rule": "two", "a/b": [1, -2.5e3, null]}
  ]
}`;
  const shown = (pointer: string): string | null => {
    const place = placeIn(TEXT, pointer);
    return place === null ? null : TEXT.slice(place.start, place.end);
  };

  it.each([
    ["/units/0/unit", '"points"'],
    ["/earning/0", '{"rule": "one"}'],
    ["/earning/1/a~1b/1", "-2.5e3"],
    ["/earning/1/a~1b/2", "null"],
  ])("finds %s", (pointer, value) => {
    expect(shown(pointer)).toBe(value);
  });

  it("shows what is around a place that is not there", () => {
    expect(shown("/earning/0/earns")).toBe('{"rule": "one"}');
    expect(shown("")).toBe(TEXT);
  });

  it("counts lines as an editor does", () => {
    expect(placeIn(TEXT, "/earning/1")?.line).toBe(5);
  });

  it("has no place in what is no JSON", () => {
    expect(placeIn("{", "/units")).toBeNull();
  });
});

describe("changesOf", () => {
  it("is nothing where both say the same", () => {
    expect(changesOf({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toEqual([]);
  });

  it("tells one new rule at the top as one change", () => {
    const before = { earning: [{ rule: "one", amount_minor: 1 }] };
    const after = { earning: [{ rule: "two", amount_minor: 5 }, { rule: "one", amount_minor: 2 }] };
    expect(changesOf(before, after)).toEqual([
      { path: "earning › one › amount_minor", kind: "changed", before: "1", after: "2" },
      { path: "earning › two", kind: "added", before: "", after: '{"rule":"two","amount_minor":5}' },
    ]);
  });

  it("tells entries apart by their places where names do not", () => {
    expect(changesOf([{ rule: "one" }, { rule: "one" }], [{ rule: "one" }])).toEqual([
      { path: "2", kind: "removed", before: '{"rule":"one"}', after: "" },
    ]);
  });
});

describe("the brand", () => {
  it("counts contrast as WCAG does", () => {
    expect(contrastToWhite("#000000")).toBeCloseTo(21);
    expect(contrastToWhite("#ffffff")).toBeCloseTo(1);
    expect(contrastToWhite("#767676")).toBeCloseTo(4.54, 1);
    expect(contrastToWhite("green")).toBe(0);
  });

  it("changes nothing else of the document", () => {
    const document = { version: 1, settings: { offers_a_trip_max: 3 } };
    const branded = withBrand(document, { name: "Holz & Mehr", accent: "#0a6b3b" });
    expect(branded).toEqual({
      version: 1,
      settings: { offers_a_trip_max: 3, brand: { name: "Holz & Mehr", accent: "#0a6b3b" } },
    });
    expect(brandOf(branded).name).toBe("Holz & Mehr");
    expect(brandOf({}).accent).toBe("#1a1a1a");
  });

  it("writes bytes as base64", () => {
    expect(base64Of(new Uint8Array([0, 255, 16]))).toBe("AP8Q");
  });
});
