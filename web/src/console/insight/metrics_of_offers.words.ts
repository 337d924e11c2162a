// Words of the figures about offers at a shelf and of the funnel (docs/footfall.md, docs/kpis.md).
import type { MetricTexts } from "./metric";

const SHELF = {
  de: { by: "Zone; Tag, Wochentag, Stunde des Angebots", source: "Angebote, Einlösungen, Einkäufe mit Karte" },
  en: { by: "zone; day, weekday, hour of the offer", source: "offers, redemptions, purchases with the card" },
};
const FUNNEL = {
  de: { by: "Zone; Zeitraum von 7 bis 366 Tagen", source: "Positionen, Angebote, Einlösungen, Bons" },
  en: { by: "zone; a window of 7 to 366 days", source: "positions, offers, redemptions, receipts" },
};

export const OFFER_METRICS = {
  offered: {
    de: { title: "Angebote", formula: "Kunden, die für die Zone ein Angebot bekamen, gerundet wie Besucher", ...SHELF.de },
    en: { title: "Offered", formula: "shoppers who were made an offer for the zone, rounded as visitors", ...SHELF.en },
  },
  seen: {
    de: { title: "Gesehen", formula: "von diesen, wer es öffnete oder einlöste", ...SHELF.de },
    en: { title: "Seen", formula: "of these, who opened or redeemed it", ...SHELF.en },
  },
  redeemed: {
    de: { title: "Eingelöst", formula: "von diesen, wessen Einlösung nicht zurückgenommen wurde", ...SHELF.de },
    en: { title: "Redeemed", formula: "of these, whose redemption was not taken back", ...SHELF.en },
  },
  bought: {
    de: { title: "Gekauft", formula: "Kunden, die mit der Karte kauften, was dort steht", ...SHELF.de },
    en: { title: "Bought", formula: "shoppers who bought with the card what stands there", ...SHELF.en },
  },
  offers_a_stop: {
    de: { title: "Angebote je Stopp", formula: "Angebote ÷ stehen geblieben", ...SHELF.de },
    en: { title: "Offers a stop", formula: "offered ÷ stoppers", ...SHELF.en },
  },
  redemption_rate: {
    de: { title: "Einlösequote", formula: "eingelöst ÷ angeboten", ...SHELF.de },
    en: { title: "Redemption rate", formula: "redeemed ÷ offered", ...SHELF.en },
  },
  purchase_rate: {
    de: { title: "Konversion", formula: "gekauft ÷ stehen geblieben; Untergrenze, denn wer ohne Karte zahlt, ist nicht bekannt", ...SHELF.de },
    en: { title: "Conversion", formula: "bought ÷ stoppers; a lower bound, for who pays without the card is not known", ...SHELF.en },
  },
  funnel_passed: {
    de: { title: "Trichter: vorbeigekommen", formula: "Kunden, die an dem Tag an der Zone vorbeikamen, mit oder ohne Halt; je Tag auf 5 gerundet", ...FUNNEL.de },
    en: { title: "Funnel: passed", formula: "shoppers who came by the zone that day, stopped or not; rounded to 5 a day", ...FUNNEL.en },
  },
  funnel_stopped: {
    de: { title: "Trichter: stehen geblieben", formula: "Kunden, die an dem Tag dort hielten; mindestens wer dort ein Angebot bekam", ...FUNNEL.de },
    en: { title: "Funnel: stopped", formula: "shoppers who stopped there that day; at least those who were made an offer there", ...FUNNEL.en },
  },
  funnel_offered: {
    de: { title: "Trichter: Angebot", formula: "Kunden mit einem Angebot für die Zone an dem Tag", ...FUNNEL.de },
    en: { title: "Funnel: offered", formula: "shoppers with an offer for the zone that day", ...FUNNEL.en },
  },
  funnel_seen: {
    de: { title: "Trichter: gesehen", formula: "von diesen, wer es öffnete oder einlöste", ...FUNNEL.de },
    en: { title: "Funnel: seen", formula: "of these, who opened or redeemed it", ...FUNNEL.en },
  },
  funnel_redeemed: {
    de: { title: "Trichter: eingelöst", formula: "von diesen, wessen Einlösung nicht zurückgenommen wurde", ...FUNNEL.de },
    en: { title: "Funnel: redeemed", formula: "of these, whose redemption was not taken back", ...FUNNEL.en },
  },
  funnel_purchased: {
    de: { title: "Trichter: gekauft", formula: "von diesen, deren Einlösung zu einem Bon gehört, von dem nicht alles zurückkam", ...FUNNEL.de },
    en: { title: "Funnel: purchased", formula: "of these, whose redemption belongs to a receipt that was not brought back as a whole", ...FUNNEL.en },
  },
  content_interest: {
    de: { title: "Interesse am Inhalt", formula: "Kunden, die ihn öffneten oder an der Kasse nutzten ÷ Kunden, denen er gezeigt wurde; Rang nach dem unteren Ende des Wilson-Intervalls von 95 %", by: "Kampagne; Zeitraum", source: "Angebote" },
    en: { title: "Interest in a content", formula: "shoppers who opened it or used it at the till ÷ shoppers to whom it was shown; ranked by the lower end of Wilson's interval of 95 %", by: "campaign; window", source: "offers" },
  },
  audience: {
    de: { title: "Zielgruppe", formula: "Kunden, die irgendeine Lage erreichen könnte, auf 5 gerundet; Ort, Verweilen, Korb und Zeit gelten als erfüllt", by: "Bedingungen", source: "Fakten über Kunden, die „personalise“ zugestimmt haben" },
    en: { title: "Audience", formula: "shoppers whom some situation could reach, to the nearest 5; zone, dwell, basket and time count as met", by: "conditions", source: "facts about shoppers who granted “personalise”" },
  },
} satisfies Record<string, MetricTexts>;
