// The rules of the card: countdown, which code is shown, which offers matter, what the worker keeps.
import { describe, expect, it } from "vitest";

import type { Codes, Offer, Question } from "../../src/card/api_types";
import { codeAt, grouped, isToBeFetched, skewOf } from "../../src/card/rules/card_codes";
import { leftUntil } from "../../src/card/rules/countdown";
import { isNews, parted, withOffer } from "../../src/card/rules/offer_order";
import { linesOn, middleOf, pathOf } from "../../src/card/rules/plan_drawing";
import { frameOf, waitMs } from "../../src/card/rules/stream_frames";
import { answersOf, missingOf } from "../../src/card/rules/survey_answers";
import { bytesOf, isOutOfTime, withinMs } from "../../src/card/rules/time_limit";
import { keptFileOf, outdated } from "../../src/card/sw/kept_files";
import { addressOf, pushedOf } from "../../src/card/sw/pushed";

const NOON = Date.parse("2026-11-22T12:00:00.000Z");
const MINUTE = 60_000;

function offer(id: string, changes: Partial<Offer> = {}): Offer {
  return {
    offer: id,
    cursor: 1,
    state: "delivered",
    campaign: "dowels",
    site: "demo",
    zone: "dowels",
    title: "Dowels",
    body: "",
    benefit: { kind: "information" },
    terms: [],
    coupon: null,
    issued_at: new Date(NOON).toISOString(),
    expires_at: new Date(NOON + 30 * MINUTE).toISOString(),
    ...changes,
  } as Offer;
}

describe("the countdown", () => {
  it("is coarse while the end is far, and counts seconds below an hour", () => {
    expect(leftUntil(NOON + 3 * 86_400_000 + 1, NOON)).toEqual({ unit: "days", count: 3 });
    expect(leftUntil(NOON + 90 * MINUTE, NOON)).toEqual({ unit: "hours", count: 1 });
    expect(leftUntil(NOON + 65_900, NOON)).toEqual({ unit: "clock", text: "1:05" });
  });

  it("is over at the end and never below it", () => {
    expect(leftUntil(NOON, NOON)).toEqual({ unit: "over" });
    expect(leftUntil(Number.NaN, NOON)).toEqual({ unit: "over" });
  });
});

describe("the code of the card", () => {
  const codes: Codes = {
    now: new Date(NOON).toISOString(),
    begins_at: new Date(NOON).toISOString(),
    ends_at: new Date(NOON + 2 * MINUTE).toISOString(),
    step_ms: 30_000,
    qr: ["A", "B", "C", "D"],
    digits: ["1", "2", "3", "4"],
  };

  it("changes with the half minute of the server's clock", () => {
    expect(codeAt(codes, "qr", NOON + 29_999)).toEqual({ code: "A", untilMs: NOON + 30_000 });
    expect(codeAt(codes, "digits", NOON + 30_000)?.code).toBe("2");
  });

  it("is none before the first and after the last, rather than one that a till refuses", () => {
    expect(codeAt(codes, "qr", NOON - 1)).toBeNull();
    expect(codeAt(codes, "qr", NOON + 2 * MINUTE)).toBeNull();
    expect(codeAt(null, "qr", NOON)).toBeNull();
  });

  it("is fetched anew from half of them on", () => {
    expect(isToBeFetched(codes, NOON + MINUTE)).toBe(false);
    expect(isToBeFetched(codes, NOON + MINUTE + 1)).toBe(true);
    expect(isToBeFetched(codes, NOON - 1)).toBe(true);
  });

  it("is right on a phone whose clock is an hour wrong", () => {
    const phone = NOON - 3_600_000;
    expect(codeAt(codes, "qr", phone + skewOf(codes.now, phone))?.code).toBe("A");
    expect(skewOf("no time", phone)).toBe(0);
  });

  it("is read out in groups", () => {
    expect(grouped("1234567890")).toBe("1234 5678 90");
  });
});

describe("offers", () => {
  it("are kept once, in their newest state", () => {
    const both = withOffer(withOffer([], offer("a")), offer("b", { cursor: 2 }));
    const after = withOffer(both, offer("a", { state: "redeemed" }));
    expect(after.map((one) => [one.offer, one.state])).toEqual([
      ["b", "delivered"],
      ["a", "redeemed"],
    ]);
  });

  it("that end first come first, and what is over stands apart", () => {
    const late = offer("late", { expires_at: new Date(NOON + 60 * MINUTE).toISOString() });
    const gone = offer("gone", { expires_at: new Date(NOON - 1).toISOString() });
    const { open, past } = parted([late, offer("soon"), gone, offer("taken", { state: "revoked" })], NOON);
    expect(open.map((one) => one.offer)).toEqual(["soon", "late"]);
    expect(past.map((one) => one.offer)).toEqual(["gone"]);
  });

  it("come up once, and only while their moment lasts", () => {
    expect(isNews([], offer("a"), NOON + 1)).toBe(true);
    expect(isNews([offer("a")], offer("a"), NOON + 1)).toBe(false);
    expect(isNews([], offer("a", { state: "opened" }), NOON + 1)).toBe(false);
    expect(isNews([], offer("a"), NOON + 11 * MINUTE)).toBe(false);
  });
});

describe("frames of the stream", () => {
  it("are read, and what is unknown or broken is passed over", () => {
    expect(frameOf('{"type":"hello","cursor":7,"has_more":false}')?.type).toBe("hello");
    expect(frameOf(JSON.stringify({ type: "offer", offer: offer("a") }))?.type).toBe("offer");
    for (const bad of ["", "{", "null", "[]", '{"type":"later"}', '{"type":"offer"}', new ArrayBuffer(1)])
      expect(frameOf(bad)).toBeNull();
  });

  it("are waited for longer and longer, and never by all phones at once", () => {
    expect([waitMs(0, 0), waitMs(0, 1)]).toEqual([250, 500]);
    expect(waitMs(99, 1)).toBe(30_000);
  });
});

describe("the service worker", () => {
  const kept = new Set(["/card/", "/assets/card-1.js"]);
  const answered = (url: string, method = "GET", isNavigation = false): string | null =>
    keptFileOf({ url, method, isNavigation }, "https://shop", kept);

  it("answers the page and its files, and nothing that the API says", () => {
    expect(answered("https://shop/card/", "GET", true)).toBe("/card/");
    expect(answered("https://shop/assets/card-1.js")).toBe("/assets/card-1.js");
    expect(answered("https://shop/v1/me/offers")).toBeNull();
    expect(answered("https://shop/console/", "GET", true)).toBeNull();
    expect(answered("https://else/assets/card-1.js")).toBeNull();
    expect(answered("https://shop/assets/card-1.js", "POST")).toBeNull();
  });

  it("forgets its own earlier builds and nothing of anybody else", () => {
    expect(outdated(["inaisle-card-1", "inaisle-card-2", "other"], "inaisle-card-2")).toEqual(["inaisle-card-1"]);
  });

  it("reads pushes, also broken ones, and leads to the offer", () => {
    expect(pushedOf('{"offer":"o1","title":"T","body":"B","locale":"en"}')).toEqual({ offer: "o1", title: "T", body: "B", lang: "en" });
    expect(pushedOf(undefined).offer).toBeNull();
    expect(pushedOf("7").title).not.toBe("");
    expect(addressOf("a/b")).toBe("/card/#/offer/a%2Fb");
    expect(addressOf(null)).toBe("/card/#/offers");
  });
});

describe("the plan", () => {
  it("turns y round, since a screen counts down", () => {
    expect(pathOf([[0, 0], [2, 1]], 10, false)).toBe("M0 10L2 9");
    expect(middleOf([[0, 0], [4, 0], [4, 2], [0, 2]])).toEqual([2, 1]);
  });

  it("draws of a way only what lies on the floor that is shown", () => {
    const line = [
      { floor: 0, x_m: 0, y_m: 0 },
      { floor: 0, x_m: 1, y_m: 0 },
      { floor: 1, x_m: 1, y_m: 0 },
      { floor: 1, x_m: 5, y_m: 0 },
    ];
    expect(linesOn(0, line)).toEqual([[[0, 0], [1, 0]]]);
    expect(linesOn(2, line)).toEqual([]);
  });
});

describe("answers to a survey", () => {
  const question = (name: string, is_required: boolean): Question =>
    ({ question: name, is_required, kind: "text", text: "", options: [], option_texts: [], scale_max: 5 }) as Question;

  it("leave out what was left out, and say what is missing", () => {
    const questions = [question("a", true), question("b", false), question("c", true)];
    const chosen = { a: "  yes ", b: "", c: [] as string[] };
    expect(answersOf(questions, chosen)).toEqual({ a: "yes" });
    expect(missingOf(questions, chosen)).toEqual(["c"]);
  });
});

describe("what may never answer", () => {
  it("is waited for so long and no longer", async () => {
    expect(isOutOfTime(await withinMs(new Promise(() => undefined), 5))).toBe(true);
    expect(await withinMs(Promise.resolve(7), 1_000)).toBe(7);
    await expect(withinMs(Promise.reject(new Error("no")), 1_000)).rejects.toThrow("no");
  });

  it("is asked with the key of the shop, as bytes", () => {
    expect([...bytesOf("-_8A")]).toEqual([251, 255, 0]);
  });
});
