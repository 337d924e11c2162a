// Words of the key figures screen.

export const KPI_WORDS = {
  de: {
    title: "Kennzahlen", figures: "Zeitraum", figure: "Kennzahl", value: "Wert", interval: "95-%-Intervall", shoppers: "Kunden", segments: "Nach Segment",
    segment_none: "ohne Segment", all: "alle Mitglieder", weeks: "Woche für Woche", week: "Woche ab", changed: "Geändert seit {day}: {direction}, vorher {before}, seither {after}",
    up: "gestiegen", down: "gefallen", alerts: "Warnungen", no_alerts: "Keine Änderung gefunden.", found: "Gefunden", since: "Seit", before: "Vorher", after: "Seither", direction: "Richtung",
    value_of: "Wert der Kunden", value_about: "Wie weit die Vorhersage daneben lag, an den letzten {weeks} Wochen geprüft, die sie nicht kannte.", no_holdout: "Noch zu wenig Geschichte, um die Vorhersage zu prüfen.",
    forecast: "Vorhersage", error: "Fehler", bias: "Verzerrung",
    review: "Rückblick", contents: "Welche Inhalte interessieren", content: "Inhalt", kind: "Art", information: "Information", coupon: "Coupon", shown_to: "Gezeigt", share: "Interesse",
    min_days: "Kennzahlen brauchen mindestens 7 ganze Tage.", left_out: "{count} Bons in anderen Währungen sind nicht dabei.", save: "Rueckblick",
    new: "Neu", occasional: "Gelegentlich", high_value: "Wertvoll", at_risk: "Gefährdet",
  },
  en: {
    title: "Key figures", figures: "Period", figure: "Figure", value: "Value", interval: "95 % interval", shoppers: "Shoppers", segments: "By segment",
    segment_none: "no segment", all: "all members", weeks: "Week by week", week: "Week from", changed: "Changed since {day}: {direction}, before {before}, since {after}",
    up: "risen", down: "fallen", alerts: "Alerts", no_alerts: "No change was found.", found: "Found", since: "Since", before: "Before", after: "After", direction: "Direction",
    value_of: "Value of customers", value_about: "How far off the forecast was, tested on the last {weeks} weeks, which it did not know.", no_holdout: "Too little history yet to test the forecast.",
    forecast: "Forecast", error: "Error", bias: "Bias",
    review: "Review", contents: "Which contents interest", content: "Content", kind: "Kind", information: "information", coupon: "coupon", shown_to: "Shown to", share: "Interest",
    min_days: "Key figures need 7 whole days or more.", left_out: "{count} receipts in other currencies are not in it.", save: "review",
    new: "New", occasional: "Occasional", high_value: "High value", at_risk: "At risk",
  },
};
