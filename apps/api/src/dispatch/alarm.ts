/** A sleep that somebody else can end; a wake-up that comes while nobody sleeps ends the next one. */
export class Alarm {
  private woken = false;
  private endSleep: () => void = () => undefined;

  wake(): void {
    this.woken = true;
    this.endSleep();
  }

  async sleep(ms: number): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.endSleep = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.woken = false;
  }
}
