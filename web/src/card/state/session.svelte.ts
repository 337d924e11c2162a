// Know whose card this is. Takes: an enrolment, or the claim of a card that was handed out.
// Gives: the client with the token of this phone. The token stays here until the card is deleted.
import { createApi, dataOf, type Api } from "../../kit/api";
import { language } from "../../kit/i18n.svelte";
import type { Purpose } from "../api_types";
import { forgetAll, keep, kept } from "./kept";

export interface Wish {
  purpose: Purpose;
  is_granted: boolean;
  text_version: string;
}

class Session {
  token = $state<string | null>(kept<string>("token"));
  /** The server no longer knows the token: the card was deleted, or this phone was shut out. */
  isUnknown = $state(false);
  readonly api: Api = createApi(
    () => this.token,
    () => {
      this.isUnknown = true;
    },
  );

  /** Become a shopper. */
  async enrol(wishes: readonly Wish[]): Promise<void> {
    const locale = language.current;
    const consents = wishes.map((wish) => ({ ...wish, locale }));
    const made = await dataOf(this.api.POST("/v1/enrolments", { body: { locale, consents } }));
    this.take(made.token);
  }

  /** Take over a card that a till has handed out. */
  async claim(claim: string, wishes: readonly Wish[]): Promise<void> {
    const consents = wishes.map((wish) => ({ ...wish, locale: language.current }));
    const made = await dataOf(this.api.POST("/v1/enrolments/claims", { body: { claim, consents } }));
    this.take(made.token);
  }

  /** Leave nothing of the card on this phone. */
  forget(): void {
    forgetAll();
    this.token = null;
    this.isUnknown = false;
  }

  private take(token: string): void {
    this.token = token;
    this.isUnknown = false;
    keep("token", token);
  }
}

export const session = new Session();
