// Put offers in the order in which they matter, and keep one of each.
// Takes: offers of lists and of the stream. Gives: those that are open, and those that were.
import type { Offer } from "../api_types";

const KEPT_MAX = 100;
const NEWS_MS = 600_000; // what is older waits in the list: its moment is over
const OPEN: ReadonlySet<Offer["state"]> = new Set(["issued", "delivered", "opened"]);

/** Whether the offer can still be used. */
export function isOpen(offer: Offer, nowMs: number): boolean {
  return OPEN.has(offer.state) && Date.parse(offer.expires_at) > nowMs;
}

/** Return the offers with one more, or with its newer state; the oldest of too many go. */
export function withOffer(offers: readonly Offer[], offer: Offer): readonly Offer[] {
  const others = offers.filter((one) => one.offer !== offer.offer);
  return [...others, offer].sort((one, other) => other.cursor - one.cursor).slice(0, KEPT_MAX);
}

/** Return those that are open, soonest over first, and the others, newest first. */
export function parted(
  offers: readonly Offer[],
  nowMs: number,
): { open: readonly Offer[]; past: readonly Offer[] } {
  const open = offers
    .filter((one) => isOpen(one, nowMs))
    .sort((one, other) => Date.parse(one.expires_at) - Date.parse(other.expires_at));
  return { open, past: offers.filter((one) => !isOpen(one, nowMs) && one.state !== "revoked") };
}

/** Whether an offer is to be shown at once: fresh, open, and unseen by this app. */
export function isNews(known: readonly Offer[], offer: Offer, nowMs: number): boolean {
  if (offer.state !== "delivered" || !isOpen(offer, nowMs)) return false;
  const isFresh = nowMs - Date.parse(offer.issued_at) < NEWS_MS;
  return isFresh && !known.some((one) => one.offer === offer.offer);
}
