// Write key figures in their unit, and name them as the glossary does.
// Takes: figures as the API tells them. Gives: texts; what is withheld has none.
import type { components } from "../../../kit/schema";
import { decimal, money, percent } from "../../../kit/format";
import type { MetricName } from "../../insight/metric";
import { dayAfter } from "../../report_plan/period";

export type Kpi = components["schemas"]["KpiBody"];
const DAYS_A_WEEK = 7;

/** A value in the unit of its figure. */
export function figureText(value: number, unit: Kpi["unit"], currency: string): string {
  if (unit === "share") return percent(value, 1);
  if (unit === "minor") return currency === "" ? decimal(value / 100, 2) : money(value, currency);
  return decimal(value, 2);
}

/** The interval of a figure; an open end is three dots. */
export function intervalText(kpi: Pick<Kpi, "interval" | "unit">, currency: string): string {
  if (kpi.interval === null) return "–";
  const write = (end: number | null): string => (end === null ? "…" : figureText(end, kpi.unit, currency));
  return `${write(kpi.interval.low)} – ${write(kpi.interval.high)}`;
}

/** The name in the glossary: coupons of the site are no coupons of a shelf. */
export function metricOf(name: Kpi["kpi"]): MetricName {
  return name === "redemption_rate" ? "coupon_redemption_rate" : name;
}

/** The Mondays of a series. */
export function weeksFrom(first: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, place) => dayAfter(first, DAYS_A_WEEK * place));
}
