// Play the last 24 hours: a time that runs, fetched in windows of ten minutes, the next one ahead.
// Takes: a way to fetch a window, the time of now. Gives: the crowd of the time that is played.
import { Crowd } from "./crowd";
import { Reel } from "./reel";

export const DAY_MS = 86_400_000;
export const SPEEDS = [1, 2, 5, 10, 30] as const;
const WINDOW_MS = 600_000;
const AHEAD_MS = 60_000;
const REELS_MAX = 4;
export type FetchWindow = (from_ms: number, until_ms: number) => Promise<ArrayBuffer>;

export class Playback {
  at_ms = $state(0);
  isPlaying = $state(false);
  isLoading = $state(false);
  speed = $state<number>(5);
  problem = $state.raw<unknown>(null);
  readonly crowd = new Crowd();
  private reels: readonly Reel[] = [];
  private asked = new Set<number>();

  constructor(
    private readonly fetchWindow: FetchWindow,
    private readonly now_ms: () => number,
  ) {}

  /** Go to a time of the last 24 hours. */
  seek(at_ms: number): void {
    const now_ms = this.now_ms();
    this.at_ms = Math.min(now_ms, Math.max(now_ms - DAY_MS, at_ms));
    this.problem = null;
    void this.load(this.at_ms);
  }

  /** Let time run; the played time waits while its window is loaded. Returns the share between frames. */
  tick(passed_ms: number): number {
    const reel = this.reelAt(this.at_ms);
    if (reel === undefined) {
      void this.load(this.at_ms);
      return 1;
    }
    if (this.isPlaying) this.run(passed_ms * this.speed);
    return (this.reelAt(this.at_ms) ?? reel).show(this.crowd, this.at_ms);
  }

  /** Drop what is loaded: another floor is looked at. */
  forget(): void {
    this.reels = [];
    this.crowd.clear();
  }

  /** Whether nobody was recorded at the played time. */
  get isEmpty(): boolean {
    return this.reelAt(this.at_ms)?.isEmpty ?? false;
  }

  private run(passed_ms: number): void {
    const next_ms = this.at_ms + passed_ms;
    if (next_ms >= this.now_ms()) {
      this.isPlaying = false;
      return;
    }
    if (this.reelAt(next_ms) !== undefined) this.at_ms = next_ms;
    if (this.reelAt(next_ms + AHEAD_MS * Math.min(this.speed, 5)) === undefined) void this.load(next_ms + AHEAD_MS * Math.min(this.speed, 5));
  }

  private reelAt(at_ms: number): Reel | undefined {
    return this.reels.find((reel) => reel.holds(at_ms));
  }

  private async load(at_ms: number): Promise<void> {
    const from_ms = Math.floor(at_ms / WINDOW_MS) * WINDOW_MS;
    const now_ms = this.now_ms();
    if (from_ms > now_ms || this.asked.has(from_ms) || this.problem !== null || this.reelAt(at_ms) !== undefined) return;
    const until_ms = Math.min(from_ms + WINDOW_MS, now_ms);
    this.asked.add(from_ms);
    this.isLoading = true;
    try {
      const reel = new Reel(from_ms, until_ms, await this.fetchWindow(Math.max(from_ms, now_ms - DAY_MS + 1_000), until_ms));
      this.reels = [...this.reels, reel].slice(-REELS_MAX);
      for (const one of this.reels) one.rewind();
    } catch (problem) {
      this.problem = problem;
      this.isPlaying = false;
    } finally {
      this.asked.delete(from_ms);
      this.isLoading = this.asked.size > 0;
    }
  }
}
