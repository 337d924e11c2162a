// Keep where everybody is, between two frames, in flat arrays: no object per person.
// Takes: decoded frames. Gives: positions at any share between the last two, trails, radius and age.
import { NOT_HERE, type Frame, type PositionsFrame, type QualityFrame, type RosterFrame } from "./wire";

export const TRAIL_POINTS = 16;
const TRAIL_EVERY_MS = 400;
const OLDEST_MS = 25_500;

export class Crowd {
  refs: readonly string[] = [];
  x = new Float32Array(0);
  y = new Float32Array(0);
  at_ms = 0;
  step_ms = 200;
  /** frames that named a roster which has not come, or is gone */
  strangers = 0;
  private roster = -1;
  private from_x = new Float32Array(0);
  private from_y = new Float32Array(0);
  private radius_dm = new Uint8Array(0);
  private age_ms = new Float32Array(0);
  private qualityAt_ms = 0;
  private trail_x = new Float32Array(0);
  private trail_y = new Float32Array(0);
  private trailAt_ms = 0;

  get count(): number {
    return this.refs.length;
  }

  /** Take a frame; what belongs to another roster is counted and dropped. */
  take(frame: Frame): void {
    if (frame.kind === "roster") this.takeRoster(frame);
    else if (frame.roster !== this.roster || frame.count !== this.count) this.strangers++;
    else if (frame.kind === "positions") this.takePositions(frame);
    else this.takeQuality(frame);
  }

  /** Forget where people have been: another floor, or a leap in time. */
  clear(): void {
    this.at_ms = 0;
    for (const one of [this.x, this.y, this.from_x, this.from_y, this.trail_x, this.trail_y]) one.fill(Number.NaN);
  }

  isHere(slot: number): boolean {
    return !Number.isNaN(this.x[slot] as number);
  }

  /** Where a person is, a share of the way from the frame before to the last one. */
  xAt(slot: number, share: number): number {
    const from = this.from_x[slot] as number;
    return from + ((this.x[slot] as number) - from) * share;
  }

  yAt(slot: number, share: number): number {
    const from = this.from_y[slot] as number;
    return from + ((this.y[slot] as number) - from) * share;
  }

  /** 68 % radius in metres; null where it has not been told. */
  radius_m(slot: number): number | null {
    const radius = this.radius_dm[slot] ?? 0;
    return radius === 0 ? null : radius / 10;
  }

  /** How old the last reading of a person is at a time of the events; a recording does not tell. */
  ageAt(slot: number, now_ms: number): number {
    if (this.qualityAt_ms === 0) return Math.max(0, now_ms - this.at_ms);
    return (this.age_ms[slot] ?? 0) + Math.max(0, now_ms - this.qualityAt_ms);
  }

  /** The trail of a person, oldest first. */
  *trail(slot: number): Generator<[number, number]> {
    for (let step = TRAIL_POINTS - 1; step >= 0; step--) {
      const [x, y] = [this.trail_x[step * this.count + slot], this.trail_y[step * this.count + slot]];
      if (x !== undefined && y !== undefined && !Number.isNaN(x)) yield [x, y];
    }
  }

  /** The slot of whoever is nearest to a place and within reach; -1 where nobody is. */
  nearest(x_m: number, y_m: number, reach_m: number, share: number): number {
    let [best, found] = [reach_m * reach_m, -1];
    for (let slot = 0; slot < this.count; slot++) {
      const [dx, dy] = [this.xAt(slot, share) - x_m, this.yAt(slot, share) - y_m];
      const square = dx * dx + dy * dy;
      if (square < best) [best, found] = [square, slot];
    }
    return found;
  }

  private takeRoster(frame: RosterFrame): void {
    const before = new Map(this.refs.map((ref, slot) => [ref, slot]));
    const slots = frame.refs.map((ref) => before.get(ref) ?? -1);
    const moved = (old: Float32Array): Float32Array<ArrayBuffer> => Float32Array.from(slots, (slot) => (slot < 0 ? Number.NaN : (old[slot] as number)));
    const [width, count] = [this.count, slots.length];
    const trailMoved = (old: Float32Array): Float32Array<ArrayBuffer> => {
      const fresh = new Float32Array(count * TRAIL_POINTS).fill(Number.NaN);
      for (let step = 0; step < TRAIL_POINTS; step++)
        slots.forEach((slot, place) => slot >= 0 && (fresh[step * count + place] = old[step * width + slot] as number));
      return fresh;
    };
    [this.x, this.y, this.from_x, this.from_y] = [moved(this.x), moved(this.y), moved(this.from_x), moved(this.from_y)];
    this.age_ms = moved(this.age_ms).map((age) => (Number.isNaN(age) ? 0 : age));
    this.radius_dm = Uint8Array.from(slots, (slot) => this.radius_dm[slot] ?? 0);
    [this.trail_x, this.trail_y] = [trailMoved(this.trail_x), trailMoved(this.trail_y)];
    this.refs = frame.refs;
    this.roster = frame.roster;
  }

  private takePositions(frame: PositionsFrame): void {
    this.step_ms = this.at_ms === 0 ? this.step_ms : Math.min(2_000, Math.max(50, frame.at_ms - this.at_ms));
    if (frame.at_ms - this.trailAt_ms >= TRAIL_EVERY_MS || frame.at_ms < this.trailAt_ms) this.keepTrail(frame.at_ms);
    for (let slot = 0; slot < frame.count; slot++) {
      const isHere = frame.x[slot] !== NOT_HERE && frame.y[slot] !== NOT_HERE;
      const x = isHere ? (frame.x[slot] as number) * frame.m_per_step : Number.NaN;
      const y = isHere ? (frame.y[slot] as number) * frame.m_per_step : Number.NaN;
      const was_x = this.x[slot] as number;
      this.from_x[slot] = Number.isNaN(was_x) ? x : was_x;
      this.from_y[slot] = Number.isNaN(was_x) ? y : (this.y[slot] as number);
      this.x[slot] = x;
      this.y[slot] = y;
    }
    this.at_ms = frame.at_ms;
  }

  private keepTrail(at_ms: number): void {
    this.trail_x.copyWithin(this.count, 0, this.count * (TRAIL_POINTS - 1));
    this.trail_y.copyWithin(this.count, 0, this.count * (TRAIL_POINTS - 1));
    this.trail_x.set(this.x);
    this.trail_y.set(this.y);
    this.trailAt_ms = at_ms;
  }

  private takeQuality(frame: QualityFrame): void {
    this.radius_dm.set(frame.radius_dm);
    for (let slot = 0; slot < frame.count; slot++)
      this.age_ms[slot] = Math.min(OLDEST_MS, (frame.age_ds[slot] as number) * 100);
    this.qualityAt_ms = frame.at_ms;
  }
}
