// Hold what a screen loads: nothing yet, data, or a problem; the newest question wins.
// Takes: a function that asks the server. Gives: data, problem, isLoading, and load() to ask again.

export class Loading<T> {
  data = $state.raw<T | null>(null);
  problem = $state.raw<unknown>(null);
  isLoading = $state(false);
  private asked = 0;

  constructor(private readonly ask: () => Promise<T>) {}

  /** Ask; an answer that a newer question has overtaken is dropped. What was shown stays shown. */
  async load(): Promise<void> {
    const number = ++this.asked;
    this.isLoading = true;
    try {
      const data = await this.ask();
      if (number !== this.asked) return;
      this.data = data;
      this.problem = null;
    } catch (problem) {
      if (number === this.asked) this.problem = problem;
    } finally {
      if (number === this.asked) this.isLoading = false;
    }
  }
}
