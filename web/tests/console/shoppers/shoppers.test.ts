// Rules of the shoppers' screen: whom somebody means, and whether a survey can go out.
import { describe, expect, it } from "vitest";

import { audienceOf } from "../../../src/console/screens/shoppers/audience";
import { BLANK, bodyOf, faultOf, type SurveyDraft } from "../../../src/console/screens/shoppers/survey_draft";

describe("audienceOf", () => {
  it("means everybody where nothing is chosen", () => {
    expect(audienceOf([], "interest", " , ")).toBeNull();
  });

  it("asks for all that was chosen", () => {
    expect(audienceOf(["at_risk"], "", "")).toEqual({ kind: "segment", in: ["at_risk"] });
    expect(audienceOf(["new"], "interest", "garden, wood")).toEqual({
      and: [
        { kind: "segment", in: ["new"] },
        { kind: "attribute", name: "interest", in: ["garden", "wood"] },
      ],
    });
  });
});

describe("a survey", () => {
  const DRAFT: SurveyDraft = {
    name: "spring-2027",
    de: "Ihr Besuch",
    en: "Your visit",
    opens: "2027-03-01T08:00",
    closes: "2027-04-01T08:00",
    questions: [
      { ...BLANK, de: "Zufrieden?", en: "Content?" },
      { ...BLANK, kind: "one", de: "Was?", en: "What?", options: "Garten / Garden\n\nHolz" },
    ],
  };

  it("is written as the API takes it, each option in both languages", () => {
    expect(faultOf(DRAFT)).toBeNull();
    const [scale, choice] = bodyOf(DRAFT).questions;
    expect(scale?.options).toEqual([]);
    expect(choice?.options).toEqual(["o1", "o2"]);
    expect(choice?.option_texts).toEqual({ de: ["Garten", "Holz"], en: ["Garden", "Holz"] });
  });

  it.each([
    [{ name: "Spring" }, "name"],
    [{ en: " " }, "titles"],
    [{ closes: "2027-02-01T08:00" }, "span"],
    [{ closes: "" }, "span"],
    [{ questions: [] }, "no_question"],
    [{ questions: [BLANK] }, "question_texts"],
    [{ questions: [{ ...BLANK, kind: "many" as const, de: "a", en: "b", options: "one" }] }, "options"],
  ])("with %j is stopped for its %s", (wrong, fault) => {
    expect(faultOf({ ...DRAFT, ...wrong })).toBe(fault);
  });
});
