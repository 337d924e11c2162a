// Find the sentence that says why an offer came. Takes: decisions, newest first. Gives: it, or null.
import type { Decision, Offer } from "../api_types";

const APART_MS_MAX = 60_000; // a decision and the offer that it makes are one moment

/** Return why an offer was made: the first sentence of the decision that chose it. */
export function reasonOf(decisions: readonly Decision[], offer: Offer): string | null {
  const issued = Date.parse(offer.issued_at);
  const found = decisions.find(
    (one) => one.chosen === offer.campaign && Math.abs(Date.parse(one.at) - issued) < APART_MS_MAX,
  );
  return found?.in_words[0] ?? null;
}
