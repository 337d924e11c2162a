// Words of the key figures; names and formulas are those of the API (docs/kpis.md).
import type { MetricTexts } from "./metric";

const MEMBERS = {
  de: { by: "Segment; Zeitraum, Woche", source: "Bons der Mitglieder (Karte und Zustimmung zur Auswertung)" },
  en: { by: "segment; window, week", source: "receipts of members (card and consent to analytics)" },
};
const TILLS = {
  de: { by: "Zeitraum, Woche", source: "Bons und Tagessummen der Kassen" },
  en: { by: "window, week", source: "receipts and till totals" },
};

export const KEY_METRICS = {
  retention: {
    de: { title: "Bindung", formula: "Mitglieder, die im Zeitraum davor und in diesem kauften ÷ die davor kauften", ...MEMBERS.de },
    en: { title: "Retention", formula: "members who bought in the window before and in this one ÷ those who bought in the window before", ...MEMBERS.en },
  },
  repeat_rate: {
    de: { title: "Wiederkaufrate", formula: "Mitglieder mit Einkäufen an zwei Tagen oder mehr ÷ Mitglieder, die kauften", ...MEMBERS.de },
    en: { title: "Repeat rate", formula: "members who bought on two days or more ÷ members who bought", ...MEMBERS.en },
  },
  purchase_frequency: {
    de: { title: "Einkäufe je Mitglied", formula: "Bons der Mitglieder ÷ Mitglieder, die kauften", ...MEMBERS.de },
    en: { title: "Purchases a member", formula: "receipts of members ÷ members who bought", ...MEMBERS.en },
  },
  mean_basket: {
    de: { title: "Mittlerer Korb", formula: "Summe der Bons ÷ ihre Zahl, ohne Rabatte und Zurückgebrachtes", ...MEMBERS.de },
    en: { title: "Mean basket", formula: "Σ receipts ÷ their number, less discounts and what was brought back", ...MEMBERS.en },
  },
  lifetime_value: {
    de: { title: "Kundenwert", formula: "Mittel von E[Einkaufstage in 52 Wochen] × E[Ausgabe am Tag]; BG/NBD und Gamma-Gamma", ...MEMBERS.de },
    en: { title: "Customer value", formula: "mean of E[days with a purchase in 52 weeks] × E[spend a day]; BG/NBD and Gamma-Gamma", ...MEMBERS.en },
  },
  coupon_redemption_rate: {
    de: { title: "Einlösequote der Coupons", formula: "bis zum Ende des Zeitraums eingelöste, nicht zurückgenommene Coupons ÷ in ihm ausgegebene", by: MEMBERS.de.by, source: "Angebote, Coupons, Einlösungen" },
    en: { title: "Redemption rate of coupons", formula: "coupons redeemed by the end of the window and not taken back ÷ coupons issued in it", by: MEMBERS.en.by, source: "offers, coupons, redemptions" },
  },
  members_share: {
    de: { title: "Umsatzanteil mit Karte", formula: "Summe der Bons mit Karte oder Coupon ÷ Tagessummen der Kassen", ...TILLS.de },
    en: { title: "Share of members' sales", formula: "Σ receipts with a card or coupon ÷ totals of the tills", ...TILLS.en },
  },
  others_mean_basket: {
    de: { title: "Mittlerer Korb der anderen", formula: "(Kassensummen − Bons) ÷ (Zahl der Kassenbons − Zahl der Bons)", ...TILLS.de },
    en: { title: "Mean basket of others", formula: "(totals − receipts) ÷ (number in the totals − number of receipts)", ...TILLS.en },
  },
  basket_difference: {
    de: { title: "Unterschied der Körbe", formula: "mittlerer Korb der Mitglieder − der anderen; keine Wirkung der Karte", ...TILLS.de },
    en: { title: "Difference of baskets", formula: "mean basket of members − of others; no effect of the card", ...TILLS.en },
  },
  cost_per_incremental_euro: {
    de: { title: "Kosten je zusätzlichem Euro", formula: "zusätzliche Rabatte ÷ zusätzlicher Umsatz aller Angesprochenen gegen die Vergleichsgruppe", by: "seit Beginn der Vergleichsgruppe", source: "zugeteilte Kunden" },
    en: { title: "Cost per further euro", formula: "further discounts ÷ further sales of all whom campaigns address, against the global holdout", by: "since the holdout began", source: "assigned shoppers" },
  },
  alert: {
    de: { title: "Trendwarnung", formula: "selbststartende CUSUM über die Wochen seit der letzten Änderung, ab der 13.; ab 65 Wochen gegen den Vorjahresmedian", by: "Kennzahl, Woche", source: "Wochenreihen" },
    en: { title: "Trend alert", formula: "self-starting CUSUM over the weeks since the last change, from the 13th on; from 65 weeks on against last year's median", by: "figure, week", source: "weekly series" },
  },
} satisfies Record<string, MetricTexts>;
