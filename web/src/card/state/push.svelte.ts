// Let this browser get pushes. Takes: the shop's key. Gives: whether it gets them, and why not.
// Some browsers never answer subscribe(); the open stream is there all the same, so nobody waits long.
import { dataOf } from "../../kit/api";
import { bytesOf, isOutOfTime, withinMs } from "../rules/time_limit";
import { session } from "./session.svelte";

export type PushState = "unknown" | "on" | "off" | "denied" | "away" | "shop_off" | "needs_install";
const SUBSCRIBE_MS_MAX = 5_000;

/** Whether pushes come only after the page is put on the home screen (iOS, iPadOS). */
export function needsInstall(): boolean {
  const isApple = /iPhone|iPad|iPod/.test(navigator.userAgent);
  return isApple && !matchMedia("(display-mode: standalone)").matches && !("PushManager" in window);
}

class Push {
  state = $state<PushState>("unknown");
  isBusy = $state(false);

  /** Look how it stands, without asking anybody for anything. */
  async look(): Promise<void> {
    if (needsInstall()) this.state = "needs_install";
    else if (!("serviceWorker" in navigator) || !("PushManager" in window)) this.state = "away";
    else if (Notification.permission === "denied") this.state = "denied";
    else {
      const found = await (await navigator.serviceWorker.getRegistration("/card/"))?.pushManager.getSubscription();
      this.state = found ? "on" : "off";
    }
  }

  /** Subscribe within five seconds, or say that it cannot be had now. */
  async subscribe(): Promise<void> {
    this.isBusy = true;
    try {
      this.state = await this.attempt();
    } catch {
      this.state = "away";
    } finally {
      this.isBusy = false;
    }
  }

  private async attempt(): Promise<PushState> {
    const { public_key: key } = await dataOf(session.api.GET("/v1/me/push-key"));
    if (key === null) return "shop_off";
    if ((await Notification.requestPermission()) !== "granted") return "denied";
    const asked = navigator.serviceWorker.ready.then((worker) =>
      worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) }),
    );
    const made = await withinMs(asked, SUBSCRIBE_MS_MAX);
    if (isOutOfTime(made)) return "away";
    const { endpoint, keys } = made.toJSON();
    if (endpoint === undefined || !keys?.["p256dh"] || !keys["auth"]) return "away";
    const body = { endpoint, keys: { p256dh: keys["p256dh"], auth: keys["auth"] } };
    await dataOf(session.api.POST("/v1/me/push-subscriptions", { body }));
    return "on";
  }
}

export const push = new Push();
