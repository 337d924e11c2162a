// Run the live map: take the feed, let the dots move 30 times a second, count zones once a second.
// Takes: the site map, the socket, the playback. Gives: what the screen shows; the dots themselves
// never pass through Svelte, only a summary once a second does.
import type { Lens } from "../../map/canvas_layer";
import type { FloorMap } from "../../map/floor_map";
import type { SiteMapDocument } from "../../map/site_map";
import { Crowd } from "./crowd";
import { paintCrowd } from "./crowd_paint";
import { LiveFeed, type Clock, type FeedState, type ZoneEvent } from "./feed";
import type { Playback } from "./playback.svelte";
import { ZoneTally, type ZoneRow } from "./zone_tally";

const REDRAW_MS = 32; // 30 a second, a little less so that a display of 60 Hz keeps to every second frame
const SUMMARY_MS = 1_000;
const REACH_PX = 14;
const EVENTS_SHOWN = 8;
const STALLED_MS = 3_000;

/** What is told of the person that was picked. */
export interface Picked {
  ref: string;
  zones: readonly string[];
  x_m: number;
  y_m: number;
  radius_m: number | null;
  age_s: number;
}

export class LiveView {
  state = $state<FeedState>("connecting");
  retryAt_ms = $state(0);
  clock = $state.raw<Clock | null>(null);
  events = $state.raw<readonly ZoneEvent[]>([]);
  rows = $state.raw<readonly ZoneRow[]>([]);
  people = $state(0);
  damaged = $state(0);
  silent_ms = $state(0);
  picked = $state.raw<Picked | null>(null);
  refs = $state.raw<readonly string[]>([]);
  isReplaying = $state(false);
  readonly feed: LiveFeed;
  private live = new Crowd();
  /** whether the names of the next roster may mean other people: another line, another floor */
  private isAnew = true;
  private map: FloorMap | null = null;
  private tally: ZoneTally;
  private chosen: string | null = null;
  private hovered = -1;
  private arrived_ms = 0;
  private share = 1;
  private drawn_ms = 0;
  private summary_ms = 0;
  private isChanged = true;
  private readonly isStill = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(
    private document: SiteMapDocument,
    private floor: number,
    connect: () => WebSocket,
    token: () => string | null,
    private readonly playback: Playback,
    onrestart: () => void,
  ) {
    this.tally = new ZoneTally(document, floor);
    this.feed = new LiveFeed(connect, token, floor, {
      onframe: (frame) => {
        if (frame.floor !== this.floor) return; // on its way when another floor was chosen
        if (frame.kind === "roster" && this.isAnew) [this.live, this.isAnew] = [new Crowd(), false];
        this.live.take(frame);
        if (frame.kind === "roster") this.tell();
        if (frame.kind === "positions") [this.arrived_ms, this.isChanged] = [performance.now(), true];
      },
      onclock: (clock) => (this.clock = clock),
      onevents: (events) => (this.events = [...events.toReversed(), ...this.events].slice(0, EVENTS_SHOWN)),
      onrestart,
      onstate: (state, retry_ms) => {
        this.state = state;
        if (state === "connecting") this.isAnew = true;
        this.retryAt_ms = retry_ms === 0 ? 0 : Date.now() + retry_ms;
      },
    });
  }

  /** Start with the map on the screen. Returns what ends it. */
  start(map: FloorMap): () => void {
    this.map = map;
    this.feed.open();
    let asked = requestAnimationFrame(function frame(this: LiveView, now_ms: number) {
      asked = requestAnimationFrame(frame.bind(this));
      this.tick(now_ms);
    }.bind(this));
    map.map.on("pointermove", (event) => {
      if (event.dragging) return;
      this.hovered = this.slotAt(event.coordinate);
      this.isChanged = true;
    });
    map.map.on("click", (event) => this.choose(this.crowd.refs[this.slotAt(event.coordinate)] ?? null));
    return () => {
      cancelAnimationFrame(asked);
      this.feed.close();
    };
  }

  /** Paint what is shown now; given to the map as its painter. */
  readonly paint = (canvas: CanvasRenderingContext2D, lens: Lens): void => {
    if (this.map === null) return;
    const chosen = this.chosen === null ? -1 : this.crowd.refs.indexOf(this.chosen);
    const sight = { share: this.share, now_ms: this.now_ms, chosen, hovered: this.hovered };
    paintCrowd(canvas, lens, this.crowd, sight, this.map.palette);
  };

  /** Go over to a map that was published meanwhile. */
  adopt(document: SiteMapDocument): void {
    this.document = document;
    this.tally = new ZoneTally(document, this.floor);
  }

  /** Show another floor. */
  chooseFloor(floor: number): void {
    this.floor = floor;
    [this.live, this.isAnew] = [new Crowd(), true];
    this.tally = new ZoneTally(this.document, floor);
    [this.events, this.rows] = [[], []];
    this.feed.choose(floor);
  }

  /** Choose a person by pseudonym, or nobody. */
  choose(ref: string | null): void {
    this.chosen = ref;
    this.isChanged = true;
    this.tell();
    if (ref !== null && this.picked !== null) this.map?.bringIntoSight(this.picked.x_m, this.picked.y_m);
  }

  /** Turn between now and the recorded past. */
  replay(isReplaying: boolean): void {
    this.isReplaying = isReplaying;
    this.tally = new ZoneTally(this.document, this.floor);
    this.choose(null);
    if (!isReplaying) this.playback.isPlaying = false;
  }

  /** Whether the socket is open and yet nothing comes. */
  get isStalled(): boolean {
    return this.state === "open" && this.silent_ms > STALLED_MS;
  }

  private get crowd(): Crowd {
    return this.isReplaying ? this.playback.crowd : this.live;
  }

  /** Time of the events: in the past what is played, else the last frame's, running on. */
  private get now_ms(): number {
    if (this.isReplaying) return this.crowd.at_ms;
    return this.live.at_ms + Math.max(0, performance.now() - this.arrived_ms);
  }

  private tick(now_ms: number): void {
    if (now_ms - this.drawn_ms >= REDRAW_MS) {
      this.move(now_ms);
      this.drawn_ms = now_ms;
    }
    if (now_ms - this.summary_ms >= SUMMARY_MS) {
      this.summary_ms = now_ms;
      this.feed.watch(Date.now());
      this.tell();
    }
  }

  private move(now_ms: number): void {
    if (this.isReplaying) {
      const share = this.playback.tick(now_ms - this.drawn_ms);
      this.share = this.isStill.matches ? 1 : share;
    } else if (this.isStill.matches) {
      if (!this.isChanged) return;
      this.share = 1;
    } else {
      const share = Math.min(1, (now_ms - this.arrived_ms) / this.live.step_ms);
      if (share === this.share && !this.isChanged) return;
      this.share = Math.max(0, share);
    }
    this.isChanged = false;
    this.map?.repaintPeople();
  }

  private tell(): void {
    const crowd = this.crowd;
    if (crowd.refs !== this.refs) this.refs = crowd.refs;
    let people = 0;
    for (let slot = 0; slot < crowd.count; slot++) if (crowd.isHere(slot)) people++;
    this.people = people;
    this.rows = this.tally.count(crowd, crowd.at_ms);
    this.damaged = this.feed.damaged;
    this.silent_ms = this.feed.silentFor(Date.now());
    this.picked = this.pickedNow(crowd);
    this.isChanged = true; // dots fade while nothing comes
  }

  private pickedNow(crowd: Crowd): Picked | null {
    const slot = this.chosen === null ? -1 : crowd.refs.indexOf(this.chosen);
    if (slot < 0 || !crowd.isHere(slot)) return null;
    const [x_m, y_m] = [crowd.x[slot] as number, crowd.y[slot] as number];
    return {
      ref: crowd.refs[slot] as string,
      zones: this.tally.namesAt(x_m, y_m),
      x_m,
      y_m,
      radius_m: crowd.radius_m(slot),
      age_s: crowd.ageAt(slot, this.now_ms) / 1000,
    };
  }

  private slotAt(coordinate: readonly number[]): number {
    const reach_m = REACH_PX * (this.map?.map.getView().getResolution() ?? 0.05);
    return this.crowd.nearest(coordinate[0] ?? 0, coordinate[1] ?? 0, reach_m, this.share);
  }
}
