// Send the wishes of a till to their routes.
// Takes: the client and a wish. Gives: the answer of its kind.
import { dataOf, type Api } from "../../../kit/api";
import type { components } from "../../../kit/schema";
import type { Wish } from "./wish";

type Schemas = components["schemas"];
export type HeldBasket = Schemas["HeldBasketBody"];
export type Purchase = Schemas["PurchaseBody"];
export type Quote = Schemas["QuoteBody"];
export type Product = Schemas["FoundProductBody"];

export type Answer =
  | { kind: "hold"; held: HeldBasket }
  | { kind: "commit"; purchase: Purchase }
  | { kind: "cancel" }
  | { kind: "return"; returned: Schemas["ReturnBody"] }
  | { kind: "goodwill"; points: number };

/** Send a wish once. */
export async function sendWish(api: Api, wish: Wish): Promise<Answer> {
  const header = { "Idempotency-Key": wish.key };
  const { deed } = wish;
  switch (deed.kind) {
    case "hold": {
      const held = await dataOf(api.POST("/v1/till/baskets", { params: { header }, body: deed.body }));
      return { kind: "hold", held };
    }
    case "commit": {
      const path = { basket: deed.basket };
      const purchase = await dataOf(api.POST("/v1/till/baskets/{basket}/commit", { params: { header, path } }));
      return { kind: "commit", purchase };
    }
    case "cancel": {
      const path = { basket: deed.basket };
      await dataOf(api.POST("/v1/till/baskets/{basket}/cancel", { params: { header, path } }));
      return { kind: "cancel" };
    }
    case "return": {
      const path = { purchase: deed.purchase };
      const body = deed.body;
      const returned = await dataOf(
        api.POST("/v1/till/purchases/{purchase}/returns", { params: { header, path }, body }),
      );
      return { kind: "return", returned };
    }
    case "goodwill": {
      const granted = await dataOf(api.POST("/v1/goodwill", { params: { header }, body: deed.body }));
      return { kind: "goodwill", points: granted.points };
    }
  }
}
