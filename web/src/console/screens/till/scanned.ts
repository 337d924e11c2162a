// Tell what a scanner or a hand has typed: a card, a coupon, a product, or words to search by.
// Takes: the text as it came. Gives: what it is, and the text as the API takes it.
// A guess only routes the text; whether a code is good is for the server to say.

export type ScannedKind = "card" | "coupon" | "signed" | "product" | "words";
export interface Scanned {
  kind: ScannedKind;
  text: string;
}

const CARD_QR = /^C1[0-9A-Z]{24}$/;
const CARD_DIGITS = /^\d{22}$/;
const SIGNED = /^IC1\.[\w-]+\.[\w-]+\.[\w-]+$/;
const GS1_SYMBOLOGY = /^\](?:C1|e0|d2|Q3|J1)/;
const GS1_BRACKETS = /^\((?:17|255|8112)\)/;
const GS1_BARE = /^(?:17\d{6})?(?:255\d{13}|8112\d{10})/;
const COUPON_CHARACTERS = 12;
const ARTICLE_DIGITS: readonly number[] = [8, 12, 13, 14];

/** Say what a text is; an empty one is nothing. */
export function scannedOf(typed: string): Scanned | null {
  const text = typed.trim();
  if (text === "") return null;
  const plain = text.replace(/[\s-]/g, "").toUpperCase();
  if (SIGNED.test(text)) return { kind: "signed", text };
  if (CARD_QR.test(plain) || CARD_DIGITS.test(plain)) return { kind: "card", text: plain };
  if (GS1_SYMBOLOGY.test(text) || GS1_BRACKETS.test(text) || GS1_BARE.test(text))
    return { kind: "coupon", text };
  if (isArticle(plain)) return { kind: "product", text: plain };
  if (isCouponCode(text, plain)) return { kind: "coupon", text };
  return { kind: "words", text };
}

/** Whether digits are an article number of GS1: their last one checks the others. */
export function isArticle(digits: string): boolean {
  if (!/^\d+$/.test(digits) || !ARTICLE_DIGITS.includes(digits.length)) return false;
  const sum = [...digits]
    .reverse()
    .reduce((all, digit, place) => all + Number(digit) * (place % 2 === 0 ? 1 : 3), 0);
  return sum % 10 === 0;
}

// Words have twelve letters too ("Schraubenset"); a code that is typed in one piece has a digit.
function isCouponCode(text: string, plain: string): boolean {
  if (plain.length !== COUPON_CHARACTERS || !/^[0-9A-Z]+$/.test(plain)) return false;
  return /^[0-9A-Z]{4}[\s-][0-9A-Z]{4}[\s-][0-9A-Z]{4}$/i.test(text) || /\d/.test(plain);
}
