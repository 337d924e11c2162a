// Name a part of the service in the reader's language.
// Takes: the name by which the service watches it. Gives: a German one, or the name itself.

import { language } from "../../../kit/i18n.svelte";

const GERMAN: Readonly<Record<string, string>> = {
  "admitted tags from redis": "zugelassene Tags aus Redis",
  "admitted tags to redis": "zugelassene Tags an Redis",
  anchors: "Anker",
  broker: "Broker",
  calibration: "Kalibrierung",
  "counted tags from redis": "gezählte Tags aus Redis",
  "counted tags to redis": "gezählte Tags an Redis",
  database: "Datenbank",
  "events to redis": "Ereignisse an Redis",
  "events to the chain": "Ereignisse an die Kette",
  "fixes to the chain": "Ortungen an die Kette",
  history: "Verlauf",
  "live fixes to redis": "laufende Ortungen an Redis",
  locating: "Ortung",
  messages: "Nachrichten an Kunden",
  "offers to other replicas by redis": "Angebote an andere Prozesse über Redis",
  "phones' scans from redis": "Messungen der Telefone aus Redis",
  "phones' scans to redis": "Messungen der Telefone an Redis",
  products: "Produkte",
  "records of visits": "Aufzeichnung der Besuche",
  relay: "Zustellung",
  reviews: "Tägliche Durchsicht",
  shops: "Läden",
  "site map": "Plan",
  "site map of offers": "Plan der Angebote",
  "visits from redis": "Besuche aus Redis",
  "visits from the chain": "Besuche aus der Kette",
  ways: "Wegführung",
};

/** Name a part as a reader would; one that we know no word for keeps the name of the service. */
export function partName(part: string): string {
  return language.current === "de" ? (GERMAN[part] ?? part) : part;
}
