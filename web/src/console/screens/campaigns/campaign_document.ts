// Make and clean the document of a campaign.
// Takes: a site, a day, what somebody typed. Gives: a document to begin with, and the one that is sent.
import { objectOf, withoutEmpty, type JsonObject } from "../../documents/json";
import { dayAfter } from "../../report_plan/period";
import { instantOf } from "../../documents/site_clock";

const DAYS_FIRST_VALID = 28;

/** A document to begin with: five minutes at a shelf bring two euro off, for four weeks. */
export function newDocument(given: { site: string; today: string; timeZone: string }): JsonObject {
  return {
    campaign: "",
    site: given.site,
    name: "",
    priority: 0,
    trigger: { kind: "visit", zone: "", dwell_s: 300 },
    benefit: { kind: "money_off", amount: { amount_minor: 200, currency: "EUR" } },
    validity: {
      from: instantOf(`${given.today}T00:00`, given.timeZone),
      until: instantOf(`${dayAfter(given.today, DAYS_FIRST_VALID)}T00:00`, given.timeZone),
    },
    frequency_cap: { offers_max: 1, window_s: 86_400 },
    texts: { de: { title: "", body: "" }, en: { title: "", body: "" } },
    offer_valid_s: 900,
    coupon_valid_s: 14_400,
    cool_down_s: 604_800,
  };
}

/** What is sent: without empty members, but for those that must be there to be refused by name. */
export function cleaned(document: JsonObject): JsonObject {
  const kept = withoutEmpty(document) as JsonObject;
  const texts = objectOf(document["texts"]);
  return {
    ...kept,
    campaign: document["campaign"] ?? "",
    name: document["name"] ?? "",
    trigger: withRequired(kept["trigger"], document["trigger"], ["zone"]),
    benefit: kept["benefit"] ?? {},
    texts: Object.fromEntries(["de", "en"].map((locale) => [locale, withText(objectOf(texts[locale]))])),
  };
}

/** A name from a title, as ids are written: "2 € auf Dübel" is "2-auf-duebel". */
export function idOf(name: string): string {
  const spelled = name.toLowerCase().replaceAll("ä", "ae").replaceAll("ö", "oe").replaceAll("ü", "ue").replaceAll("ß", "ss");
  return spelled.normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 63).replace(/-+$/, "");
}

function withText(text: JsonObject): JsonObject {
  return { title: text["title"] ?? "", body: text["body"] ?? "" };
}

function withRequired(kept: JsonObject[string] | undefined, given: JsonObject[string] | undefined, names: readonly string[]): JsonObject {
  const there = names.filter((name) => name in objectOf(given));
  return { ...objectOf(kept), ...Object.fromEntries(there.map((name) => [name, objectOf(given)[name] ?? ""])) };
}
