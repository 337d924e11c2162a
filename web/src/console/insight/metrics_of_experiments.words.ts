// Words of the figures of experiments, holdout and ranking (docs/experiments.md).
import type { MetricTexts } from "./metric";

const ARMS = {
  de: { by: "Arm gegen Vergleichsarm", source: "zugeteilte Kunden, ihre Einkäufe und Angebote" },
  en: { by: "arm against control", source: "assigned shoppers, their purchases and offers" },
};
const LOG = {
  de: { by: "Schätzer", source: "Protokoll der Entscheidungen" },
  en: { by: "estimator", source: "log of decisions" },
};

export const EXPERIMENT_METRICS = {
  lift: {
    de: { title: "Mehrertrag", formula: "Unterschied der Mittel je Kunde × Kunden des Arms, nach CUPED", ...ARMS.de },
    en: { title: "Lift", formula: "difference of means per shopper × shoppers of the arm, after CUPED", ...ARMS.en },
  },
  sequential_interval: {
    de: { title: "Fortlaufendes Intervall", formula: "± s · √(2 (nρ² + 1) ÷ (nρ²) · ln(√(nρ² + 1) ÷ α)); gilt bei beliebig vielen Blicken (Waudby-Smith u. a. 2024)", ...ARMS.de },
    en: { title: "Sequential interval", formula: "± s · √(2 (nρ² + 1) ÷ (nρ²) · ln(√(nρ² + 1) ÷ α)); true for any number of looks (Waudby-Smith et al. 2024)", ...ARMS.en },
  },
  fixed_interval: {
    de: { title: "Festes Intervall", formula: "± t(1 − α/2) · s; gilt nur für den einen geplanten Blick (Student)", ...ARMS.de },
    en: { title: "Fixed interval", formula: "± t(1 − α/2) · s; true only for the one look that was planned (Student)", ...ARMS.en },
  },
  variance_reduction: {
    de: { title: "Herausgerechnete Streuung", formula: "Anteil der Streuung, den das Verhalten in den 90 Tagen davor erklärt (CUPED)", ...ARMS.de },
    en: { title: "Variance taken out", formula: "share of the variance that the 90 days before explain (CUPED)", ...ARMS.en },
  },
  sample_ratio: {
    de: { title: "Aufteilung", formula: "Bayes-Faktor von Dirichlet(1.000 · Anteile) gegen die geplanten Anteile, Alarm ab 1.000; p-Wert aus χ² = Σ (n − n̂)² ÷ n̂", ...ARMS.de },
    en: { title: "Sample ratio", formula: "Bayes factor of Dirichlet(1,000 · shares) against the planned shares, alarm at 1,000; p-value of χ² = Σ (n − n̂)² ÷ n̂", ...ARMS.en },
  },
  guardrail: {
    de: { title: "Leitplanke", formula: "gebrochen: der Schaden liegt sicher über der Toleranz; hält: sicher nicht; sonst offen", ...ARMS.de },
    en: { title: "Guardrail", formula: "broken: harm certainly above the margin; holds: certainly not; else open", ...ARMS.en },
  },
  holdout: {
    de: { title: "Vergleichsgruppe", formula: "alle anderen Kunden gegen die, denen keine Kampagne ein Angebot macht", ...ARMS.de },
    en: { title: "Global holdout", formula: "all other shoppers against those whom no campaign makes an offer", ...ARMS.en },
  },
  ips: {
    de: { title: "IPS", formula: "Σ w r ÷ n, w = π(gewählt) ÷ Wahrscheinlichkeit der Wahl (Horvitz und Thompson 1952)", ...LOG.de },
    en: { title: "IPS", formula: "Σ w r ÷ n, w = π(chosen) ÷ propensity (Horvitz & Thompson 1952)", ...LOG.en },
  },
  snips: {
    de: { title: "SNIPS", formula: "Σ w r ÷ Σ w (Swaminathan und Joachims 2015)", ...LOG.de },
    en: { title: "SNIPS", formula: "Σ w r ÷ Σ w (Swaminathan & Joachims 2015)", ...LOG.en },
  },
  doubly_robust: {
    de: { title: "Doppelt robust", formula: "Σ [Σₐ π(a) q(a) + w (r − q(gewählt))] ÷ n (Dudík, Langford und Li 2011)", ...LOG.de },
    en: { title: "Doubly robust", formula: "Σ [Σₐ π(a) q(a) + w (r − q(chosen))] ÷ n (Dudík, Langford & Li 2011)", ...LOG.en },
  },
  effective_decisions: {
    de: { title: "Wirksame Entscheidungen", formula: "(Σ w)² ÷ Σ w² (Kish 1965): so viele eigene Entscheidungen sagten ebenso viel", ...LOG.de },
    en: { title: "Effective decisions", formula: "(Σ w)² ÷ Σ w² (Kish 1965): so many decisions of its own would say as much", ...LOG.en },
  },
} satisfies Record<string, MetricTexts>;
