// Look like the retailer. Takes: GET /v1/brand. Gives: name and logo, and the colour as --brand.
import { dataOf } from "../../kit/api";
import type { Brand } from "../api_types";
import { keep, kept } from "./kept";
import { session } from "./session.svelte";

class BrandState {
  current = $state.raw<Brand | null>(kept<Brand>("brand"));

  async load(): Promise<void> {
    this.current = await dataOf(session.api.GET("/v1/brand"));
    keep("brand", this.current);
  }

  /** Set the colour; white text on it can be read, the server has seen to that. */
  paint(): void {
    const accent = this.current?.accent ?? "";
    if (!/^#[0-9a-f]{6}$/i.test(accent)) return;
    document.documentElement.style.setProperty("--brand", accent);
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", accent);
  }
}

export const brand = new BrandState();
