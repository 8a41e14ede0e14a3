/** How a `TargetWriter` deals with commands that the target cannot take now. */
export type RetryOptions = {
  /** Whether the server's state is in the way, not the command: nothing of it was done, and the same bytes may succeed later. */
  isRetryable(serverWords: string): boolean;
  /** How long without a single success. 0: not at all, such an error goes to `onError` as any other. */
  readonly retryMs: number;
  /** At the start of a wait, and again after each attempt that got on but not to the end, or met other words. */
  onWaiting?(wait: RetryWaiting): void;
  /** Everything that waited was applied, or refused for good. */
  onResumed?(wait: { readonly waitedMs: number }): void;
  readonly clock?: RetryClock | undefined;
};

export type RetryWaiting = {
  /** The server's words. */
  readonly words: string;
  /** Commands that will be sent again. */
  readonly commands: number;
  /** When the wait began, Unix ms. */
  readonly sinceMs: number;
};

export type RetryClock = {
  /** Unix ms that never go back. */
  nowMs(): number;
  /** @returns ends it */
  after(delayMs: number, callback: () => void): () => void;
};

export const SYSTEM_CLOCK: RetryClock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
