// Say each refusal of the till in plain words: what is so, and what the cashier does next.

export const REFUSAL_WORDS = {
  de: {
    card_not_valid: "Die Karte gilt nicht. Bitte den Code in der App noch einmal zeigen lassen.",
    card_suspended: "Die Karte ist gesperrt. Der Kunde kann in der App widersprechen; ohne Karte kann er zahlen.",
    nothing_to_hold: "Keine Karte und kein gültiger Coupon: einfach kassieren.",
    hold_expired: "Die Reservierung ist abgelaufen. Bitte noch einmal kassieren.",
    hold_cancelled: "Die Reservierung wurde aufgehoben. Bitte noch einmal kassieren.",
    hold_committed: "Dieser Einkauf ist schon abgeschlossen.",
    spend_without_card: "Mit Punkten zahlt nur, wer seine Karte zeigt.",
    unit_not_taken: "Damit kann hier nicht bezahlt werden.",
    balance_too_low: "So viel ist nicht auf der Karte.",
    return_too_large: "So viele Stück sind nicht mehr zurückzugeben.",
    coupon_not_valid: "Der Coupon gilt nicht: unbekannt, abgelaufen oder schon benutzt.",
    basket_currency: "Der Coupon ist in einer anderen Währung.",
    basket_too_small: "Der Einkauf ist für diesen Coupon zu klein.",
    basket_without_match: "Keine Ware im Einkauf, für die der Coupon gilt.",
    budget_spent: "Von dieser Aktion ist für heute nichts mehr übrig.",
    outstacked: "Ohne diesen Coupon spart der Kunde mehr; er behält ihn.",
    stack_full: "Mehr Coupons gelten nicht auf einmal; er behält ihn.",
    card_needed: "Der Coupon bringt Punkte oder Guthaben: bitte die Karte scannen.",
    code_needed: "Dieser Coupon wird einzeln gezeigt: bitte seinen Code scannen.",
    above_grant_limit: "So viele Punkte auf einmal sind nicht erlaubt.",
    day_limit_reached: "Für heute sind keine Punkte aus Kulanz mehr übrig.",
  },
  en: {
    card_not_valid: "The card is not valid. Have the code in the app shown again.",
    card_suspended: "The card is suspended. The shopper may appeal in the app; without the card he can pay.",
    nothing_to_hold: "No card and no valid coupon: just take the money.",
    hold_expired: "The hold has run out. Please charge again.",
    hold_cancelled: "The hold was given up. Please charge again.",
    hold_committed: "This purchase is complete already.",
    spend_without_card: "Only who shows the card pays with points.",
    unit_not_taken: "That is not taken as payment here.",
    balance_too_low: "There is not that much on the card.",
    return_too_large: "There are not that many pieces left to bring back.",
    coupon_not_valid: "The coupon is not valid: unknown, expired or used.",
    basket_currency: "The coupon is in another currency.",
    basket_too_small: "The basket is too small for this coupon.",
    basket_without_match: "Nothing in the basket that the coupon is for.",
    budget_spent: "Nothing is left of this campaign for today.",
    outstacked: "The shopper saves more without this coupon, and keeps it.",
    stack_full: "No more coupons are taken at once; the shopper keeps it.",
    card_needed: "The coupon brings points or cashback: please scan the card.",
    code_needed: "This coupon is shown by itself: please scan its code.",
    above_grant_limit: "That many points at once are not allowed.",
    day_limit_reached: "No goodwill points are left for today.",
  },
};

/** Why a signed coupon is not taken at this till, by what the till itself can see. */
export const SIGNED_WORDS = {
  de: {
    no_keys: "Diese Kasse hat die Schlüssel dafür nicht. Bitte den gewöhnlichen Code zeigen lassen, sobald die Leitung da ist.",
    not_genuine: "Die Unterschrift des Coupons stimmt nicht. Nicht annehmen.",
    other_site: "Der Coupon gilt in einem anderen Markt.",
    out_of_time: "Der Coupon gilt noch nicht oder nicht mehr.",
    needs_line: "Diese Art Coupon braucht die Leitung.",
    taken_before: "Diesen Coupon hat diese Kasse schon angenommen.",
    alone: "Ein unterschriebener Coupon gilt allein: ohne Karte und andere Coupons.",
    basket_currency: "Der Coupon ist in einer anderen Währung.",
    basket_without_match: "Keine Ware im Einkauf, für die der Coupon gilt.",
    basket_too_small: "Der Einkauf ist für diesen Coupon zu klein.",
  },
  en: {
    no_keys: "This till has no keys for it. Have the ordinary code shown once the line is back.",
    not_genuine: "The signature of the coupon is not right. Do not take it.",
    other_site: "The coupon is for another shop.",
    out_of_time: "The coupon is not yet or no longer valid.",
    needs_line: "This kind of coupon needs the line.",
    taken_before: "This till has taken this coupon already.",
    alone: "A signed coupon is taken alone: without a card and other coupons.",
    basket_currency: "The coupon is in another currency.",
    basket_without_match: "Nothing in the basket that the coupon is for.",
    basket_too_small: "The basket is too small for this coupon.",
  },
};

/** Whether there are words for a reason; the server may know more than this page. */
export function isKnownRefusal(reason: string): reason is keyof typeof REFUSAL_WORDS.de {
  return reason in REFUSAL_WORDS.de;
}
