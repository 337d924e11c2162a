// Find the field that a refusal of the server means.
// Takes: its sentence, or the JSON pointer of a fault. Gives: the place in the document, as the sentence
// names it (`conditions.and[2].within_days`), so that the form shows the sentence at that field.
import { ApiProblem } from "../../../kit/api";

export interface Refusal {
  place: string;
  message: string;
}

const HEAD = /^campaign (?:'[^']*'|[a-z0-9-]+): /;
const PLACE = /^[a-z_]+(?:\.[a-z_0-9-]+|\[\d+\])*/;
// What the nouns call by their own name alone stands in these parts of the document.
const INSIDE: Readonly<Record<string, string>> = {
  percent: "benefit.percent",
  basket_min: "benefit.basket_min",
  discount_max: "benefit.discount_max",
  cashback_max: "benefit.cashback_max",
  applies_to: "benefit.applies_to",
  item: "benefit.item",
  points: "benefit.points",
  zone: "trigger.zone",
  dwell_s: "trigger.dwell_s",
  within_days: "trigger.within_days",
  count: "trigger.count",
  category: "trigger.category",
  survey: "trigger.survey",
  title: "texts",
  body: "texts",
  de: "texts.de",
  en: "texts.en",
  offers_max: "frequency_cap.offers_max",
  window_s: "frequency_cap.window_s",
  redemptions_max: "budget.redemptions_max",
};

/** Where a refusal belongs; null where the problem is none of the document. */
export function refusalOf(problem: unknown): Refusal | null {
  if (!(problem instanceof ApiProblem) || problem.status !== 422) return null;
  const [fault] = problem.faults;
  if (fault?.pointer !== undefined) {
    return { place: placeOfPointer(fault.pointer), message: fault.detail };
  }
  let message = problem.message;
  while (HEAD.test(message)) message = message.replace(HEAD, "");
  const named = PLACE.exec(message)?.[0] ?? "";
  return { place: INSIDE[named] ?? named, message };
}

/** `/document/conditions/and/2` as the sentences write it. */
export function placeOfPointer(pointer: string): string {
  const steps = pointer.split("/").slice(1).filter((step, place) => place > 0 || step !== "document");
  return steps.map((step, place) => (/^\d+$/.test(step) ? `[${step}]` : `${place > 0 ? "." : ""}${step}`)).join("");
}

/** The sentence, if it is about this place. */
export function saidAt(refusal: Refusal | null, place: string): string | null {
  return refusal?.place === place ? refusal.message : null;
}

/** The sentence, if it is about a part of this place that no field of its own shows. */
export function saidWithin(refusal: Refusal | null, place: string): string | null {
  if (refusal === null) return null;
  return refusal.place === place || refusal.place.startsWith(`${place}.`) || refusal.place.startsWith(`${place}[`)
    ? refusal.message
    : null;
}
