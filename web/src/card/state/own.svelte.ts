// Hold what belongs to the shopper: codes, offers, points, tier, consents; as last known without a line.
// Takes: answers of the API and frames of the stream. Gives: state to the screens.
import { ApiProblem, dataOf } from "../../kit/api";
import type { Balance, Codes, Consent, Offer, Standing, Suspension } from "../api_types";
import { isToBeFetched } from "../rules/card_codes";
import { isNews, withOffer } from "../rules/offer_order";
import { clock } from "./clock.svelte";
import { keep, kept } from "./kept";
import { session } from "./session.svelte";

class Own {
  codes = $state.raw<Codes | null>(kept<Codes>("codes"));
  offers = $state.raw<readonly Offer[]>(kept<Offer[]>("offers") ?? []);
  balances = $state.raw<readonly Balance[]>(kept<Balance[]>("balances") ?? []);
  standing = $state.raw<Standing | null>(kept<Standing>("standing"));
  consents = $state.raw<readonly Consent[]>(kept<Consent[]>("consents") ?? []);
  suspension = $state.raw<Suspension | null>(kept<Suspension>("suspension"));
  /** the offer that has just come and is shown above everything else */
  arrived = $state.raw<Offer | null>(null);

  /** Whether a purpose is granted. */
  granted(purpose: Consent["purpose"]): boolean {
    return this.consents.some((one) => one.purpose === purpose && one.is_granted);
  }

  /** Ask for everything; each part by itself, so that one that fails keeps no other back. */
  async load(): Promise<void> {
    await Promise.allSettled([
      this.loadCodes(),
      this.loadOffers(),
      this.loadPoints(),
      this.loadStanding(),
      this.loadConsents(),
      this.loadSuspension(),
    ]);
  }

  async loadCodes(): Promise<void> {
    if (!isToBeFetched(this.codes, clock.now)) return;
    const codes = await dataOf(session.api.POST("/v1/me/card/codes"));
    clock.set(codes.now);
    this.codes = codes;
    keep("codes", codes);
  }

  async loadOffers(): Promise<void> {
    let after = 0;
    for (let hasMore = true; hasMore; ) {
      const query = { params: { query: { after } } };
      const page = await dataOf(session.api.GET("/v1/me/offers", query));
      for (const offer of page.offers) this.takeOffer(offer);
      [after, hasMore] = [page.cursor, page.has_more];
    }
  }

  async loadPoints(): Promise<void> {
    this.takeBalances((await dataOf(session.api.GET("/v1/me/points"))).balances);
  }

  async loadStanding(): Promise<void> {
    try {
      this.standing = await dataOf(session.api.GET("/v1/me/tier"));
    } catch (problem) {
      if (!(problem instanceof ApiProblem) || problem.status !== 404) throw problem;
      this.standing = null; // a programme without tiers
    }
    keep("standing", this.standing);
  }

  async loadConsents(): Promise<void> {
    this.takeConsents((await dataOf(session.api.GET("/v1/me/consents"))).consents);
  }

  async loadSuspension(): Promise<void> {
    this.suspension = (await dataOf(session.api.GET("/v1/me/suspension"))).suspension;
    keep("suspension", this.suspension);
  }

  /** Take an offer; one that is new is shown above everything else. */
  takeOffer(offer: Offer): void {
    if (isNews(this.offers, offer, clock.now)) this.arrived = offer;
    if (this.arrived?.offer === offer.offer && offer.state !== "delivered") this.arrived = null;
    this.offers = withOffer(this.offers, offer);
    keep("offers", this.offers);
  }

  /** What is earned or spent moves the tier as well. */
  takeBalances(balances: readonly Balance[]): void {
    this.balances = balances;
    keep("balances", balances);
  }

  takeConsents(consents: readonly Consent[]): void {
    this.consents = consents;
    keep("consents", consents);
  }

  /** Leave nothing in memory of a card that is deleted. */
  forget(): void {
    [this.codes, this.standing, this.suspension, this.arrived] = [null, null, null, null];
    [this.offers, this.balances, this.consents] = [[], [], []];
  }
}

export const own = new Own();
