// Check a signed coupon without a line, and say what it takes off.
// Takes: the text of its QR code, the public keys that were fetched while there was a line, the basket.
// Gives: the coupon if it is genuine, and its discount for each line, to the minor unit.
// The rules are those of docs/decisions/0018; what needs more than the basket needs the line.
import type { Line } from "./basket";

export interface TillKey {
  key: string;
  public_key: string;
}
interface Money {
  amount_minor: number;
  currency: string;
}
interface Benefit {
  kind: string;
  amount?: Money;
  percent?: number;
  discount_max?: Money | null;
  basket_min?: Money | null;
  applies_to?: { categories: readonly string[]; skus: readonly string[] };
}
export interface SignedCoupon {
  text: string;
  site: string;
  benefit: Benefit;
  issued_at_ms: number;
  expires_at_ms: number;
}
export type SignedFault =
  | "no_keys"
  | "not_genuine"
  | "other_site"
  | "out_of_time"
  | "needs_line"
  | "taken_before"
  | "alone"
  | "basket_currency"
  | "basket_without_match"
  | "basket_too_small";

/** A till's clock may be behind the phone's that has just got the coupon. */
const CLOCK_OFF_MS_MAX = 300_000;

/** Read a signed coupon; what nobody of ours has signed is not genuine. */
export async function readSigned(text: string, keys: readonly TillKey[]): Promise<SignedCoupon | SignedFault> {
  const [version, id, payload = "", signature = ""] = text.split(".");
  const known = keys.find((one) => one.key === id);
  if (known === undefined || globalThis.crypto?.subtle === undefined) return "no_keys";
  if (version !== "IC1") return "not_genuine";
  try {
    const key = await crypto.subtle.importKey("raw", bytesOf(known.public_key), "Ed25519", false, ["verify"]);
    const told = new TextEncoder().encode(text.slice(0, text.lastIndexOf(".")));
    if (!(await crypto.subtle.verify("Ed25519", key, bytesOf(signature), told))) return "not_genuine";
    const read = JSON.parse(new TextDecoder().decode(bytesOf(payload))) as Record<string, unknown>;
    return {
      text,
      site: String(read["s"]),
      benefit: read["b"] as Benefit,
      issued_at_ms: Number(read["f"]),
      expires_at_ms: Number(read["e"]),
    };
  } catch {
    return "not_genuine"; // no base64, no JSON: not what we write
  }
}

/** What the coupon takes off each line now, or why it takes nothing. */
export function discountOf(
  coupon: SignedCoupon,
  lines: readonly Line[],
  at: { site: string; now_ms: number; currency: string },
): readonly number[] | SignedFault {
  if (coupon.site !== at.site) return "other_site";
  if (at.now_ms < coupon.issued_at_ms - CLOCK_OFF_MS_MAX || at.now_ms >= coupon.expires_at_ms) return "out_of_time";
  const { benefit } = coupon;
  const named = [benefit.amount, benefit.discount_max, benefit.basket_min].filter((one) => one != null);
  if (named.some((one) => one.currency !== at.currency)) return "basket_currency";
  const prices = lines.map((line) => (covers(benefit, line) ? line.quantity * line.unit_price_minor : 0));
  const eligible = prices.reduce((sum, price) => sum + price, 0);
  if (eligible === 0) return "basket_without_match";
  if (benefit.basket_min != null && eligible < benefit.basket_min.amount_minor) return "basket_too_small";
  const wish = wishOf(benefit, eligible);
  return wish === null ? "needs_line" : split(Math.min(wish, eligible), prices);
}

function wishOf(benefit: Benefit, eligible_minor: number): number | null {
  if (benefit.kind === "money_off" && benefit.amount !== undefined) return benefit.amount.amount_minor;
  if (benefit.kind !== "percent_off" || benefit.percent === undefined) return null;
  const wish = Math.floor((eligible_minor * benefit.percent + 50) / 100); // half up, once for all lines
  return Math.min(wish, benefit.discount_max?.amount_minor ?? wish);
}

function covers(benefit: Benefit, line: Line): boolean {
  const scope = benefit.applies_to ?? { categories: [], skus: [] };
  const isEveryLine = scope.categories.length === 0 && scope.skus.length === 0;
  return isEveryLine || scope.skus.includes(line.sku) || scope.categories.includes(line.category);
}

/** Split in proportion, to the minor unit: of equal remainders the earlier line is served first. */
export function split(total_minor: number, weights: readonly number[]): readonly number[] {
  // products of two amounts are beyond what a double holds exactly
  const [total, whole] = [BigInt(total_minor), weights.reduce((sum, weight) => sum + BigInt(weight), 0n)];
  const products = weights.map((weight) => total * BigInt(weight));
  const shares = products.map((product) => Number(product / whole));
  const left = total_minor - shares.reduce((sum, share) => sum + share, 0);
  const served = products
    .map((product, place) => ({ place, remainder: Number(product % whole) }))
    .toSorted((one, other) => other.remainder - one.remainder || one.place - other.place)
    .slice(0, left);
  return shares.map((share, place) => share + Number(served.some((one) => one.place === place)));
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}
