// Words of the glossary screen.

export const GLOSSARY_WORDS = {
  de: {
    title: "Was die Zahlen heißen", search: "Suchen", about: "Dieselben Texte stehen hinter jedem ? in den Berichten.", nothing: "Keine Zahl passt dazu.",
    footfall: "Laufen und Verweilen", offers: "Angebote und Trichter", kpis: "Kennzahlen", experiments: "Versuche",
    figure: "Zahl", formula: "Formel", by: "Nach", source: "Quelle",
  },
  en: {
    title: "What the figures mean", search: "Search", about: "The same texts stand behind each ? in the reports.", nothing: "No figure fits.",
    footfall: "Walking and dwelling", offers: "Offers and funnel", kpis: "Key figures", experiments: "Experiments",
    figure: "Figure", formula: "Formula", by: "By", source: "Source",
  },
};
