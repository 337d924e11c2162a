// Words of the figures about where shoppers stood and how they walked (docs/footfall.md).
import type { MetricTexts } from "./metric";

const PLACE = {
  de: { by: "Zelle oder Zone; Tag, Wochentag, Stunde", source: "Positionen derer, die der Auswertung zugestimmt haben" },
  en: { by: "cell or zone; day, weekday, hour", source: "positions of those who agreed to analytics" },
};
const ZONE = {
  de: { by: "Zone; Tag, Wochentag, Stunde", source: PLACE.de.source },
  en: { by: "zone; day, weekday, hour", source: PLACE.en.source },
};
const WAY = {
  de: { by: "Art der Zone; ganze Tage", source: PLACE.de.source },
  en: { by: "kind of zone; whole days", source: PLACE.en.source },
};

export const FOOTFALL_METRICS = {
  visitors: {
    de: { title: "Besucher", formula: "Summe über die gezeigten Blöcke (Zelle oder Zone in einer Stunde oder an einem Tag) der verschiedenen Besucher, auf 5 gerundet", ...PLACE.de },
    en: { title: "Visitors", formula: "sum over told blocks (a cell or zone in an hour or day) of distinct visitors, rounded to 5", ...PLACE.en },
  },
  density: {
    de: { title: "Verweildichte", formula: "Personenminuten ÷ begehbare m² der Zelle; die Personensekunden eines Blocks sind auf 60 gerundet", ...PLACE.de },
    en: { title: "Dwell density", formula: "person-minutes ÷ walkable m² of the cell; the person-seconds of a block are rounded to 60", ...PLACE.en },
  },
  change: {
    de: { title: "Veränderung", formula: "Wert je gezeigtem Block im späteren Zeitraum − im früheren; deutlich ab einer Änderung von 10 Besuchern", ...PLACE.de },
    en: { title: "Change", formula: "figure per told block in the later period − in the earlier one; clear from a change of 10 visitors on", ...PLACE.en },
  },
  passers: {
    de: { title: "Vorbeigegangen", formula: "Besucher mit einem Aufenthalt, der kürzer war als dwell_s_min der Zone", ...ZONE.de },
    en: { title: "Pass-by", formula: "visitors with a stay shorter than the zone's dwell_s_min", ...ZONE.en },
  },
  stoppers: {
    de: { title: "Stehen geblieben", formula: "Besucher mit einem längeren Aufenthalt; jemand kann beides sein", ...ZONE.de },
    en: { title: "Stopped", formula: "visitors with a longer stay; somebody may be both", ...ZONE.en },
  },
  stop_rate: {
    de: { title: "Stopprate", formula: "stehen geblieben ÷ Besucher, über Blöcke, in denen beides gezeigt wird", ...ZONE.de },
    en: { title: "Stop rate", formula: "stoppers ÷ visitors, over blocks in which both are told", ...ZONE.en },
  },
  dwell_p50: {
    de: { title: "Verweildauer, Median", formula: "Klasse, in der der Median der Stopps liegt; nur mit 5 Stopps auf jeder Seite", ...ZONE.de },
    en: { title: "Dwell, median", formula: "the bin that holds the median of the stops; only with 5 stops on either side", ...ZONE.en },
  },
  dwell_p90: {
    de: { title: "Verweildauer, 90 %", formula: "Klasse, unter der 90 % der Stopps liegen; nur mit 5 Stopps auf jeder Seite", ...ZONE.de },
    en: { title: "Dwell, 90 %", formula: "the bin below which 90 % of the stops lie; only with 5 stops on either side", ...ZONE.en },
  },
  flow: {
    de: { title: "Strom", formula: "Besucher, die von einer Zone in die nächste gingen; mit „nur Stopps“ von Stopp zu Stopp", ...WAY.de },
    en: { title: "Flow", formula: "visitors who went from a zone to the next; with “stops only” from stop to stop", ...WAY.en },
  },
  share_of_next: {
    de: { title: "Anteil der Nächsten", formula: "Strom ÷ Summe der gezeigten Ströme aus derselben Zone", ...WAY.de },
    en: { title: "Share of next", formula: "flow ÷ sum of told flows out of the same zone", ...WAY.en },
  },
  share_of_previous: {
    de: { title: "Anteil der Vorigen", formula: "Strom ÷ Summe der gezeigten Ströme in dieselbe Zone", ...WAY.de },
    en: { title: "Share of previous", formula: "flow ÷ sum of told flows into the same zone", ...WAY.en },
  },
  move: {
    de: { title: "Umzug einer Warengruppe", formula: "Besucher am neuen Ort = (V_B − T_B) + T_A; Stopps = T_A + q_A (V_B − T_B), q_A = (S_A − T_A) ÷ (V_A − T_A); V Besucher, S Stopps, T wer nur ihretwegen kam, A alter, B neuer Ort", ...WAY.de },
    en: { title: "A moved category", formula: "visitors at the new place = (V_B − T_B) + T_A; stops = T_A + q_A (V_B − T_B), q_A = (S_A − T_A) ÷ (V_A − T_A); V visitors, S stoppers, T who turned back, A old place, B new place", ...WAY.en },
  },
} satisfies Record<string, MetricTexts>;
