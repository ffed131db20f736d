/** A sleep that somebody else can end; a wake-up that comes while nobody sleeps ends the next one. */
export class Alarm {
  private woken = false;
  private endSleep: () => void = () => undefined;
  private wokeAt = -Infinity;

  /** `restMs`: between two ends of a sleep at least, so that many wake-ups at once are one. The first is never late. */
  constructor(private readonly restMs = 0) {}

  wake(): void {
    this.woken = true;
    this.endSleep();
  }

  /** At most this long, and as long as it takes to rest. */
  async sleep(ms: number): Promise<void> {
    if (!this.woken) await this.pause(ms);
    const left = this.wokeAt + this.restMs - performance.now();
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
    this.woken = false;
    this.wokeAt = performance.now();
  }

  private async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endSleep = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
