// Know until when the shopper wants no offers. Takes: GET and PUT /v1/me/pause. Gives: the instant.
import { dataOf } from "../../kit/api";
import { session } from "./session.svelte";

class Pause {
  until = $state<string | null>(null);

  async load(): Promise<void> {
    this.until = (await dataOf(session.api.GET("/v1/me/pause"))).until;
  }

  /** Pause until the end of the day, or go on. */
  async set(isPaused: boolean): Promise<void> {
    const call = session.api.PUT("/v1/me/pause", { body: { is_paused: isPaused } });
    this.until = (await dataOf(call)).until;
  }
}

export const pause = new Pause();
