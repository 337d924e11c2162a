// Know which members each trigger, benefit and term of a condition has, and how each is asked for.
// Takes: nothing. Gives: descriptions to the forms. They follow the readers of the server
// (offers/model/campaigns/*_json.py, conditions/condition_json.py), which have the last word.
import type { Json, JsonObject } from "../../documents/json";

export type MemberKind =
  | "integer" | "text" | "money" | "scope" | "zone" | "zones" | "choice" | "choices" | "texts"
  | "instant" | "clock" | "seconds";

export interface Member {
  name: string;
  kind: MemberKind;
  isOptional?: boolean;
  choices?: readonly string[];
}
export type Kinds = Readonly<Record<string, readonly Member[]>>;

export const SEGMENTS = ["new", "occasional", "high_value", "at_risk"] as const;
export const PURPOSES = ["locate", "personalise", "notify", "analytics"] as const;
export const LANGUAGES = ["de", "en"] as const;
export const WEEKDAY_NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
export const FACTS = [
  "purchase", "purchase_line", "return", "return_line", "visit", "dwell", "offer", "redemption", "survey",
  "scan", "referral", "login",
] as const;
export const STACKING = ["exclusive", "one_a_line", "combinable"] as const;
const CURRENCIES = ["EUR", "CHF"] as const;

const integer = (name: string, isOptional = false): Member => ({ name, kind: "integer", isOptional });
const text = (name: string): Member => ({ name, kind: "text" });
const texts = (name: string): Member => ({ name, kind: "texts", isOptional: true });
const money = (name: string, isOptional = false): Member => ({ name, kind: "money", isOptional });
const choice = (name: string, choices: readonly string[], isOptional = false): Member => ({ name, kind: "choice", choices, isOptional });
const choices = (name: string, all: readonly string[]): Member => ({ name, kind: "choices", choices: all });
const SCOPE: Member = { name: "applies_to", kind: "scope", isOptional: true };
const BASKET: readonly Member[] = [SCOPE, money("basket_min", true)];
const RANGE: readonly Member[] = [integer("at_least", true), integer("at_most", true)];
const EVENTS: readonly Member[] = [
  choice("of", FACTS), integer("within_days"), texts("categories"), texts("skus"),
  { name: "zones", kind: "zones", isOptional: true },
];
const MEASURED: readonly Member[] = [
  choice("measure", ["amount_minor", "quantity"]), choice("currency", CURRENCIES, true),
];
const ZONE: Member = { name: "zone", kind: "zone" };

export const TRIGGERS: Kinds = {
  visit: [ZONE, { name: "dwell_s", kind: "seconds" }],
  enter: [ZONE],
  leave: [ZONE, { name: "dwell_s_min", kind: "seconds", isOptional: true }],
  trip_start: [],
  trip_end: [],
  welcome: [],
  birthday: [integer("days_before", true)],
  anniversary: [],
  milestone: [choice("measure", ["purchases", "trips"]), integer("count")],
  spend_threshold: [money("amount"), integer("within_days")],
  segment: [choice("segment", SEGMENTS), choice("movement", ["entered", "left"])],
  basket: BASKET,
  points_expiring: [integer("within_days")],
  regular_purchase: [text("category")],
  referral: [],
  survey: [text("survey")],
  manual: [],
};

export const BENEFITS: Kinds = {
  money_off: [money("amount"), ...BASKET],
  percent_off: [integer("percent"), ...BASKET, money("discount_max", true)],
  free_item: [SCOPE, integer("quantity"), integer("with_bought"), money("basket_min", true)],
  gift: [text("item"), ...BASKET],
  points: [integer("points")],
  points_multiplier: [integer("percent"), ...BASKET],
  cashback: [integer("percent"), ...BASKET, money("cashback_max", true)],
  free_delivery: BASKET,
  early_access: [text("item"), { name: "public_from", kind: "instant" }],
  event: [text("name"), { name: "starts_at", kind: "instant" }],
  service: [text("service"), ...BASKET],
  information: [],
};

export const TERMS: Kinds = {
  segment: [choices("in", SEGMENTS)],
  count: [...EVENTS, ...RANGE],
  sum: [...EVENTS, ...MEASURED, ...RANGE],
  enrolled_days: RANGE,
  tier: [texts("in")],
  attribute: [text("name"), texts("in"), ...RANGE],
  locale: [choices("in", LANGUAGES)],
  consent: [choice("purpose", PURPOSES)],
  zone: [{ name: "in", kind: "zones" }],
  dwell_s: RANGE,
  basket: [...MEASURED, texts("categories"), texts("skus"), ...RANGE],
  local_time: [choices("weekdays", WEEKDAY_NAMES), { name: "from", kind: "clock", isOptional: true }, { name: "until", kind: "clock", isOptional: true }],
};
/** terms about the moment: an audience has none, since a standing group has no moment */
export const MOMENT_TERMS: readonly string[] = ["zone", "dwell_s", "basket", "local_time"];

const FIRST: Partial<Record<MemberKind, Json>> = {
  integer: 1, text: "", texts: [], zones: [], choices: [], zone: "", seconds: 300,
};

/** An object of a kind with what each of its members that must be there begins with. */
export function begun(kinds: Kinds, kind: string): JsonObject {
  const members = (kinds[kind] ?? []).filter((member) => member.isOptional !== true);
  return { kind, ...Object.fromEntries(members.map((member) => [member.name, firstOf(member)])) };
}

function firstOf(member: Member): Json {
  if (member.kind === "money") return { amount_minor: 100, currency: "EUR" };
  if (member.kind === "choice") return member.choices?.[0] ?? "";
  if (member.name === "within_days") return 30;
  return FIRST[member.kind] ?? "";
}
