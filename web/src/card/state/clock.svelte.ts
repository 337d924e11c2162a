// Know what time it is at the server. Takes: what the server says of its clock. Gives: `now`, which
// ticks each second while somebody looks; a phone whose clock is wrong shows right codes and times.
import { skewOf } from "../rules/card_codes";
import { keep, kept } from "./kept";

const TICK_MS = 1_000;

class ServerClock {
  private skewMs = kept<number>("skew_ms") ?? 0;
  now = $state(Date.now() + this.skewMs);

  constructor() {
    setInterval(() => this.tick(), TICK_MS);
    document.addEventListener("visibilitychange", () => this.tick());
  }

  /** Take what the server's clock showed a moment ago. */
  set(serverNow: string): void {
    this.skewMs = skewOf(serverNow, Date.now());
    keep("skew_ms", this.skewMs);
    this.tick();
  }

  private tick(): void {
    if (!document.hidden) this.now = Date.now() + this.skewMs;
  }
}

export const clock = new ServerClock();
