// Say amounts and times as shoppers read them. Takes: amounts of a unit, instants. Gives: texts.
import { decimal, money } from "../kit/format";
import { wordsOf } from "../kit/i18n.svelte";
import { CARD_WORDS } from "./card.words";
import { leftUntil } from "./rules/countdown";

const t = wordsOf(CARD_WORDS);

/** Points, or money of a cashback. */
export function amount(unit: string, minor: number): string {
  return unit === "points" ? t("unit_points", { n: decimal(minor) }) : money(minor, unit);
}

/** How long something is still good. */
export function leftText(until: string, nowMs: number): string {
  const left = leftUntil(Date.parse(until), nowMs);
  if (left.unit === "over") return t("over");
  if (left.unit === "clock") return t("left_clock", { text: left.text });
  if (left.unit === "days") return t(left.count === 1 ? "left_day" : "left_days", { n: left.count });
  return t(left.count === 1 ? "left_hour" : "left_hours", { n: left.count });
}
