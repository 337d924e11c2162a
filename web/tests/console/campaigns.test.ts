// The form of a campaign: what it sends is what was meant, and a refusal finds its field.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { ApiProblem } from "../../src/kit/api";
import { cleaned, idOf, newDocument } from "../../src/console/screens/campaigns/campaign_document";
import { documentOf, joined, placeOfPart, replaced, termOf, treeOf, withTerm } from "../../src/console/screens/campaigns/conditions";
import { unitOf } from "../../src/console/screens/campaigns/durations";
import type { JsonObject } from "../../src/console/documents/json";
import { begun, BENEFITS, TERMS, TRIGGERS } from "../../src/console/screens/campaigns/members";
import { placeOfPointer, refusalOf, saidAt, saidWithin } from "../../src/console/screens/campaigns/refusal_place";
import { changesOf } from "../../src/console/screens/campaigns/revision_diff";
import { instantOf, localOf } from "../../src/console/documents/site_clock";

const refused = (detail: string): ApiProblem => new ApiProblem({ status: 422, code: "validation_failed", detail });
/** Every condition that docs/conditions.md shows. */
const SHOWN = [...readFileSync("../docs/conditions.md", "utf8").matchAll(/```json\n([\s\S]*?)```/g)].map(
  (found) => JSON.parse(found[1] ?? "") as JsonObject,
);

describe("conditions", () => {
  it("of every example of the manual come back as they were written", () => {
    expect(SHOWN.length).toBeGreaterThan(5);
    for (const document of SHOWN) expect(documentOf(treeOf(document))).toEqual(document);
  });

  it("of every term have no member that the form does not know", () => {
    const terms = (document: JsonObject): JsonObject[] =>
      Object.entries(document).flatMap(([name, value]) =>
        ["and", "or"].includes(name) ? (value as JsonObject[]).flatMap(terms) : name === "kind" ? [document] : [],
      );
    for (const term of SHOWN.flatMap(terms)) {
      const known = (TERMS[String(term["kind"])] ?? []).map((member) => member.name);
      expect(Object.keys(term).filter((name) => name !== "kind" && !known.includes(name))).toEqual([]);
    }
  });

  it("keep a not, and drop a joint that has lost its last part", () => {
    const document = { and: [{ not: { kind: "segment", in: ["new"] } }] };
    expect(documentOf(treeOf(document))).toEqual(document);
    expect(documentOf(joined("and", [joined("or", [])]))).toBeNull();
  });

  it("grow beside each other and shrink to nothing", () => {
    const [first, second] = [withTerm(null, "segment"), withTerm(termOf("tier"), "locale")];
    expect(second.joint).toBe("and");
    expect(replaced(first, first.id, null)).toBeNull();
    if (second.joint !== "and") throw new Error("it is an and");
    const [tier] = second.parts;
    const left = replaced(second, tier?.id ?? 0, null);
    expect(left?.joint === "and" && left.parts).toHaveLength(1);
  });

  it("are named as the server names them", () => {
    expect(placeOfPart("conditions", "and", 2)).toBe("conditions.and[2]");
    expect(placeOfPart("audience.or[1]", "not", 0)).toBe("audience.or[1].not");
  });
});

describe("a document", () => {
  const fresh = newDocument({ site: "demo", today: "2026-03-04", timeZone: "Europe/Berlin" });

  it("begins at midnight of the shop, wherever it is written", () => {
    expect(fresh["validity"]).toEqual({ from: "2026-03-03T23:00:00.000Z", until: "2026-03-31T22:00:00.000Z" });
  });

  it("goes out without empty members, but with those whose absence must be refused by name", () => {
    const sent = cleaned({ ...fresh, audience: null, schedule: { weekdays: [], hours: [] }, budgets: [] });
    expect(Object.keys(sent)).not.toContain("audience");
    expect(Object.keys(sent)).not.toContain("schedule");
    expect(sent["trigger"]).toEqual({ kind: "visit", zone: "", dwell_s: 300 });
    expect(sent["name"]).toBe("");
  });

  it("keeps members that the form has no field for", () => {
    expect(cleaned({ ...fresh, gs1: { reference: "1" } })["gs1"]).toEqual({ reference: "1" });
  });

  it("names each kind with members to begin with", () => {
    for (const kinds of [TRIGGERS, BENEFITS, TERMS])
      for (const kind of Object.keys(kinds)) expect(begun(kinds, kind)["kind"]).toBe(kind);
  });

  it("has an id from its name", () => {
    expect(idOf("2 € auf Dübel!")).toBe("2-auf-duebel");
  });
});

describe("a refusal", () => {
  it("finds the field that it names", () => {
    const refusal = refusalOf(refused("campaign 'a': trigger.zone is 'x'; expected a zone."));
    expect(refusal).toEqual({ place: "trigger.zone", message: "trigger.zone is 'x'; expected a zone." });
    expect(saidAt(refusal, "trigger.zone")).toMatch(/expected a zone/);
    expect(saidWithin(refusal, "trigger")).not.toBeNull();
    expect(saidWithin(refusal, "benefit")).toBeNull();
  });

  it("finds the term of a condition, also below an id without quotes", () => {
    const detail = "campaign a-1: conditions.and[2].within_days is 900; expected 1 to 400";
    expect(refusalOf(refused(detail))?.place).toBe("conditions.and[2].within_days");
  });

  it("knows where a member stands that is called by its own name alone", () => {
    expect(refusalOf(refused("campaign 'a': percent is 0; expected 1 to 100."))?.place).toBe("benefit.percent");
  });

  it("of the schema comes with a JSON pointer", () => {
    expect(placeOfPointer("/document/conditions/and/2")).toBe("conditions.and[2]");
  });

  it("is none where the server could not be reached", () => {
    expect(refusalOf(new ApiProblem({ status: 0, code: "unreachable", detail: "" }))).toBeNull();
  });
});

describe("times of the site", () => {
  it("come back as they were in summer and winter", () => {
    for (const local of ["2026-07-01T09:30", "2026-12-24T18:00"])
      expect(localOf(instantOf(local, "Europe/Berlin"), "Europe/Berlin")).toBe(local);
    expect(instantOf("2026-07-01T09:30", "Europe/Berlin")).toBe("2026-07-01T07:30:00.000Z");
  });

  it("in the hour that spring leaves out are the hour after it", () => {
    expect(localOf(instantOf("2026-03-29T02:30", "Europe/Berlin"), "Europe/Berlin")).toMatch(/T0[13]:30/);
  });

  it("are said in the largest whole unit", () => {
    expect([unitOf(7200), unitOf(90), unitOf(604_800), unitOf(0)]).toEqual(["h", "s", "d", "s"]);
  });
});

describe("two revisions", () => {
  it("differ in the members that were changed, and in no other", () => {
    const before = { name: "a", texts: { de: { title: "x" } }, budgets: [{ per: ["day"] }] };
    const after = { name: "a", texts: { de: { title: "y" } }, budgets: [{ per: ["day", "shopper"] }], priority: 1 };
    expect(changesOf(before, after)).toEqual([
      { place: "budgets[0].per", before: '["day"]', after: '["day","shopper"]' },
      { place: "priority", before: "", after: "1" },
      { place: "texts.de.title", before: "x", after: "y" },
    ]);
  });
});
