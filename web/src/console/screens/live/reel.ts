// Hold a part of the recorded past and show the crowd as it was at any time of it.
// Takes: the bytes of a playback. Gives: a crowd set to a time, and the share between two frames.
import { Crowd } from "./crowd";
import { cutFrames, decodeFrame, type PositionsFrame, type RosterFrame } from "./wire";

const NOTHING = -2; // no index, and no neighbour of one

export class Reel {
  private readonly rosters = new Map<number, RosterFrame>();
  private readonly frames: PositionsFrame[] = [];
  private shown = NOTHING;

  constructor(
    readonly from_ms: number,
    readonly until_ms: number,
    bytes: ArrayBuffer,
  ) {
    for (const cut of cutFrames(bytes)) {
      const frame = decodeFrame(cut);
      if (frame.kind === "roster") this.rosters.set(frame.roster, frame);
      if (frame.kind === "positions") this.frames.push(frame);
    }
    this.frames.sort((one, other) => one.at_ms - other.at_ms);
  }

  get isEmpty(): boolean {
    return this.frames.length === 0;
  }

  holds(at_ms: number): boolean {
    return at_ms >= this.from_ms && at_ms < this.until_ms;
  }

  /** Set the crowd to a time; returns how far it is from the frame before to the next. */
  show(crowd: Crowd, at_ms: number): number {
    const index = this.indexBefore(at_ms);
    const [before, next] = [this.frames[index], this.frames[index + 1]];
    if (before === undefined) return 1;
    if (index !== this.shown) {
      if (index !== this.shown + 1) {
        crowd.clear();
        this.put(crowd, before);
      }
      this.put(crowd, next ?? before);
      this.shown = index;
    }
    if (next === undefined) return 1;
    return Math.min(1, Math.max(0, (at_ms - before.at_ms) / (next.at_ms - before.at_ms)));
  }

  /** Forget what was shown: the crowd has been used for something else. */
  rewind(): void {
    this.shown = NOTHING;
  }

  private put(crowd: Crowd, frame: PositionsFrame): void {
    const roster = this.rosters.get(frame.roster);
    if (roster !== undefined && crowd.refs !== roster.refs) crowd.take(roster);
    crowd.take(frame);
  }

  /** The last frame that is not after a time; the first where all are after it. */
  private indexBefore(at_ms: number): number {
    let [low, high] = [0, this.frames.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.frames[middle] as PositionsFrame).at_ms <= at_ms) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
