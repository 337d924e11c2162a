// Say what a figure is: formula, by what it may be grouped, and where it comes from.
// Takes: the families of metrics. Gives: one list to the glossary, and each text to tooltips in reports.
import type { Language } from "../../kit/i18n.svelte";
import { EXPERIMENT_METRICS } from "./metrics_of_experiments.words";
import { FOOTFALL_METRICS } from "./metrics_of_footfall.words";
import { KEY_METRICS } from "./metrics_of_kpis.words";
import { OFFER_METRICS } from "./metrics_of_offers.words";

export interface MetricText {
  title: string;
  formula: string;
  /** what it may be grouped by */
  by: string;
  source: string;
}
export type MetricTexts = Record<Language, MetricText>;

export const METRIC_FAMILIES = {
  footfall: FOOTFALL_METRICS,
  offers: OFFER_METRICS,
  kpis: KEY_METRICS,
  experiments: EXPERIMENT_METRICS,
} as const satisfies Record<string, Record<string, MetricTexts>>;

export type MetricFamily = keyof typeof METRIC_FAMILIES;
export type MetricName =
  | keyof typeof FOOTFALL_METRICS
  | keyof typeof OFFER_METRICS
  | keyof typeof KEY_METRICS
  | keyof typeof EXPERIMENT_METRICS;

const ALL: Readonly<Record<string, MetricTexts>> = {
  ...FOOTFALL_METRICS,
  ...OFFER_METRICS,
  ...KEY_METRICS,
  ...EXPERIMENT_METRICS,
};

/** The texts of a metric. */
export function metricTexts(name: MetricName): MetricTexts {
  const found = ALL[name];
  if (found === undefined) throw new Error(`metric is ${name}; expected one of the glossary`);
  return found;
}

/** Whether a text of the glossary or its title speaks of what somebody looks for. */
export function isAbout(texts: MetricText, sought: string): boolean {
  const wanted = sought.trim().toLowerCase();
  return [texts.title, texts.formula, texts.source].some((text) => text.toLowerCase().includes(wanted));
}
