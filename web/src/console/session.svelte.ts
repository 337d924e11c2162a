// Know who of the staff is signed in.
// Takes: name and password, or an access key. Gives: the client with its token, role and site.
// The token lives in this tab only (sessionStorage): closing the tab signs out.
import { ApiProblem, createApi, dataOf, type Api } from "../kit/api";
import type { components } from "../kit/schema";

export type Me = components["schemas"]["StaffBody"];
export type Role = Exclude<Me["role"], "shopper">;

const STORED = "inaisle.staff.token";

class Session {
  token = $state<string | null>(sessionStorage.getItem(STORED));
  me = $state.raw<Me | null>(null);
  readonly api: Api = createApi(
    () => this.token,
    () => this.forget(),
  );

  /** Take up the token of this tab, if the server still knows it. */
  async resume(): Promise<void> {
    if (this.token === null) return;
    try {
      this.me = await dataOf(this.api.GET("/v1/staff/me"));
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
    }
  }

  /** Sign in by name and password. */
  async signIn(name: string, password: string): Promise<void> {
    const made = await dataOf(this.api.POST("/v1/staff/sessions", { body: { name, password } }));
    await this.take(made.token);
  }

  /** Sign in by an access key, as machines have one. */
  async take(token: string): Promise<void> {
    this.token = token;
    this.me = await dataOf(this.api.GET("/v1/staff/me"));
    sessionStorage.setItem(STORED, token);
  }

  /** End the session here and at the server. */
  async signOut(): Promise<void> {
    try {
      await this.api.DELETE("/v1/staff/sessions/current");
    } finally {
      this.forget();
    }
  }

  /** Whether the signed-in person has one of the roles. */
  may(roles: readonly Role[]): boolean {
    return this.me !== null && (roles as readonly string[]).includes(this.me.role);
  }

  private forget(): void {
    this.token = null;
    this.me = null;
    sessionStorage.removeItem(STORED);
  }
}

export const session = new Session();
