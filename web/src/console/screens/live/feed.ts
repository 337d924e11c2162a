// Keep the WebSocket of the live map open: sign in by the first message, come back by itself, and say
// how it stands. A socket that is open and silent is as bad as none: it is closed and opened again.
// Takes: a way to the token, the floor. Gives: frames, clock and events to its listener.
import { decodeFrame, WireFault, type Frame } from "./wire";

export const SILENT_MS_MAX = 8_000;
const WAIT_MS_FIRST = 500;
const WAIT_MS_MAX = 15_000;
const CLOSED_POLICY = 1008;
const CLOSED_RESTART = 1012;

export type FeedState = "connecting" | "open" | "waiting" | "refused";
export interface Clock {
  at_ms: number;
  lag_ms: number;
  /** seconds of the shop's clock in one of ours: more than one in a demo */
  speed: number;
  /** of this device, when the clock came */
  received_ms: number;
}
export interface ZoneEvent {
  kind: "entered" | "left";
  zone: string;
  at_ms: number;
}
export interface FeedListener {
  onframe(frame: Frame): void;
  onclock(clock: Clock): void;
  onevents(events: readonly ZoneEvent[]): void;
  onstate(state: FeedState, retry_ms: number): void;
  /** the service was restarted, or has taken up another site map */
  onrestart(): void;
}
export type Connect = () => WebSocket;

/** How long to wait before the next attempt: doubling, with chance, so that pages do not come all at once. */
export function waitMs(attempt: number, chance: number): number {
  return Math.min(WAIT_MS_MAX, WAIT_MS_FIRST * 2 ** attempt) * (0.5 + chance / 2);
}

export class LiveFeed {
  /** frames that could not be read */
  damaged = 0;
  private socket: WebSocket | null = null;
  private attempt = 0;
  private timer = 0;
  private heard_ms = 0;
  private isClosed = false;
  private isOpen = false;
  private isRestarted = false;

  constructor(
    private readonly connect: Connect,
    private readonly token: () => string | null,
    private floor: number,
    private readonly listener: FeedListener,
  ) {}

  open(): void {
    if (this.isClosed) return;
    this.listener.onstate("connecting", 0);
    const socket = this.connect();
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.heard_ms = Date.now();
    socket.onopen = () => socket.send(JSON.stringify({ token: this.token() ?? "", floor: this.floor }));
    socket.onmessage = (message: MessageEvent<ArrayBuffer | string>) => this.take(message.data);
    socket.onclose = (event) => this.lost(socket, event.code);
  }

  /** Watch another floor; the socket stays. */
  choose(floor: number): void {
    this.floor = floor;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ floor }));
  }

  /** Call now and then: gives up a socket that says nothing. */
  watch(now_ms: number): void {
    const socket = this.socket;
    if (socket === null || now_ms - this.heard_ms < SILENT_MS_MAX) return;
    this.lost(socket, 1006);
    socket.close();
  }

  /** Milliseconds since anything was heard. */
  silentFor(now_ms: number): number {
    return Math.max(0, now_ms - this.heard_ms);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private take(data: ArrayBuffer | string): void {
    this.heard_ms = Date.now();
    if (!this.isOpen) this.nowOpen();
    try {
      if (typeof data === "string") this.takeText(data);
      else this.listener.onframe(decodeFrame(data));
    } catch (error) {
      if (!(error instanceof WireFault) && !(error instanceof SyntaxError)) throw error;
      this.damaged++;
      console.warn(error.message);
    }
  }

  private nowOpen(): void {
    this.isOpen = true;
    if (this.isRestarted) this.listener.onrestart();
    this.isRestarted = false;
    this.attempt = 0;
    this.listener.onstate("open", 0);
  }

  private takeText(text: string): void {
    const message = JSON.parse(text) as { type?: string; at_ms?: number; lag_ms?: number; speed?: number; events?: ZoneEvent[] };
    if (message.type === "clock")
      this.listener.onclock({
        at_ms: Number(message.at_ms),
        lag_ms: Number(message.lag_ms),
        speed: Number(message.speed ?? 1),
        received_ms: Date.now(),
      });
    else if (message.type === "events" && Array.isArray(message.events)) this.listener.onevents(message.events);
  }

  private lost(socket: WebSocket, code: number): void {
    if (socket !== this.socket || this.isClosed) return;
    [this.socket, this.isOpen] = [null, false];
    if (code === CLOSED_POLICY) return this.listener.onstate("refused", 0);
    this.isRestarted ||= code === CLOSED_RESTART;
    const wait_ms = waitMs(this.attempt++, Math.random());
    this.listener.onstate("waiting", wait_ms);
    this.timer = window.setTimeout(() => this.open(), wait_ms);
  }
}
