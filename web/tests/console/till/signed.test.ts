// Signed coupons: what a till without a line believes, and what it takes off.
import { describe, expect, it } from "vitest";

import type { Line } from "../../../src/console/screens/till/basket";
import { discountOf, readSigned, split, type SignedCoupon } from "../../../src/console/screens/till/signed_coupon";

// Made by the server's own writer with the seed 00 01 … 1f: 2 euro off dowels from 5 euro, for a day.
const TEXT =
  "IC1.56475aa7.eyJiIjp7ImFtb3VudCI6eyJhbW91bnRfbWlub3IiOjIwMCwiY3VycmVuY3kiOiJFVVIifSwiYXBwbGllc190byI6eyJjYXRlZ29yaWVzIjpbImRvd2VscyJdLCJza3VzIjpbXX0sImJhc2tldF9taW4iOnsiYW1vdW50X21pbm9yIjo1MDAsImN1cnJlbmN5IjoiRVVSIn0sImtpbmQiOiJtb25leV9vZmYifSwiYyI6IjAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwIiwiZSI6MTc5NTA4NjQwMDAwMCwiZiI6MTc5NTAwMDAwMDAwMCwiayI6ImRvd2VsLWNvdXBvbiIsInMiOiJkZW1vIiwieCI6Im9uZV9hX2xpbmUifQ.NHpr3DgfPOrwVc0Ief7nYDtqW7MVUfdQcx7rMz0IKdQmn3e2v1U9uwfUPVLmxdBGGnPMYqTc90j41crZL1wiCA";
const KEYS = [{ key: "56475aa7", public_key: "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg" }];
const AT = { site: "demo", now_ms: 1_795_000_100_000, currency: "EUR" };
const line = (category: string, quantity: number, unit_price_minor: number): Line => ({
  sku: category,
  category,
  name: category,
  quantity,
  unit_price_minor,
});

describe("readSigned", () => {
  it("reads what the server has signed", async () => {
    expect(await readSigned(TEXT, KEYS)).toMatchObject({ site: "demo", expires_at_ms: 1_795_086_400_000 });
  });

  it("does not take a coupon whose amount somebody has raised", async () => {
    const [version, id, payload = "", signature] = TEXT.split(".");
    const raised = btoa(atob(payload).replace('"amount_minor":200', '"amount_minor":900')).replace(/=+$/, "");
    expect(await readSigned([version, id, raised, signature].join("."), KEYS)).toBe("not_genuine");
  });

  it("says so where it has no key for it", async () => {
    expect(await readSigned(TEXT, [])).toBe("no_keys");
  });
});

describe("discountOf", () => {
  const coupon = async (): Promise<SignedCoupon> => (await readSigned(TEXT, KEYS)) as SignedCoupon;

  it("takes the amount off the lines that are meant, to the cent", async () => {
    const lines = [line("dowels", 1, 333), line("paint", 1, 1_000), line("dowels", 1, 334)];
    expect(discountOf(await coupon(), lines, AT)).toEqual([100, 0, 100]);
  });

  it.each([
    [{ site: "elsewhere" }, "other_site"],
    [{ now_ms: 1_795_086_400_000 }, "out_of_time"],
    [{ now_ms: 1_794_999_000_000 }, "out_of_time"],
    [{ currency: "CHF" }, "basket_currency"],
  ])("with %j takes nothing: %s", async (wrong, fault) => {
    expect(discountOf(await coupon(), [line("dowels", 2, 500)], { ...AT, ...wrong })).toBe(fault);
  });

  it("looks at the goods", async () => {
    expect(discountOf(await coupon(), [line("paint", 1, 900)], AT)).toBe("basket_without_match");
    expect(discountOf(await coupon(), [line("dowels", 1, 499)], AT)).toBe("basket_too_small");
  });

  it("rounds a percentage half up, once, and keeps to its most", async () => {
    const percent = { ...(await coupon()), benefit: { kind: "percent_off", percent: 10 } };
    expect(discountOf(percent, [line("a", 1, 4), line("b", 1, 1)], AT)).toEqual([1, 0]);
    const bounded = { ...percent, benefit: { ...percent.benefit, discount_max: { amount_minor: 50, currency: "EUR" } } };
    expect(discountOf(bounded, [line("a", 1, 10_000)], AT)).toEqual([50]);
  });

  it("leaves what it does not understand to the line", async () => {
    const gift = { ...(await coupon()), benefit: { kind: "gift" } };
    expect(discountOf(gift, [line("a", 1, 100)], AT)).toBe("needs_line");
  });
});

describe("split", () => {
  it("sums to the whole, the earlier of equals first", () => {
    expect(split(100, [333, 333, 334])).toEqual([33, 33, 34]);
    expect(split(1, [5, 5])).toEqual([1, 0]);
  });
});
