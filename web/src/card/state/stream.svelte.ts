// Keep the stream to the server open while the card is. Takes: the token. Gives: frames to `own`.
// A line that breaks is tried again, later and later; the first frames after it are what was missed.
import type { Frame } from "../rules/stream_frames";
import { frameOf, waitMs } from "../rules/stream_frames";
import { own } from "./own.svelte";
import { session } from "./session.svelte";

const SIGNED_OUT = 1008;
const LOST_AFTER_MS = 4_000; // a restart of the server is over sooner, and is nobody's business

class Stream {
  isOpen = $state(false);
  /** nothing has been heard for some seconds: what is shown may be old */
  isLost = $state(false);
  /** counts answers of the staff, so that an open screen looks again */
  answers = $state(0);
  private socket: WebSocket | null = null;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lostTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    addEventListener("online", () => this.again(0));
    addEventListener("offline", () => {
      this.isLost = true;
      this.socket?.close();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.isOpen) this.again(0);
    });
  }

  /** Open the stream; while it is open this does nothing. */
  open(): void {
    if (this.socket !== null || session.token === null) return;
    const secure = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${secure}//${location.host}/v1/me/stream`);
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "sign_in", token: session.token }));
    socket.onmessage = (message) => this.take(frameOf(message.data));
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      [this.socket, this.isOpen] = [null, false];
      this.lostTimer ??= setTimeout(() => (this.isLost = true), LOST_AFTER_MS);
      if (event.code === SIGNED_OUT && event.reason === "credential_invalid") session.isUnknown = true;
      else this.again(waitMs(this.failures++, Math.random()));
    };
  }

  /** Close it for good. */
  close(): void {
    clearTimeout(this.timer);
    this.found();
    const socket = this.socket;
    [this.socket, this.isOpen] = [null, false];
    socket?.close();
  }

  private found(): void {
    clearTimeout(this.lostTimer);
    [this.lostTimer, this.isLost] = [undefined, false];
  }

  private again(afterMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), afterMs);
  }

  private take(frame: Frame | null): void {
    if (frame === null) return;
    if (frame.type === "hello") {
      [this.isOpen, this.failures] = [true, 0];
      this.found();
      void own.load();
    } else if (frame.type === "offer") {
      own.takeOffer(frame.offer);
    } else if (frame.type === "points") {
      own.takeBalances(frame.balances);
      void own.loadStanding().catch(() => undefined); // the next frame asks again
    } else {
      this.answers += 1;
    }
  }
}

export const stream = new Stream();
