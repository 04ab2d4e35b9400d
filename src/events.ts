// What work tells the outside while it goes on: the one vocabulary of progress, for stages and everything they use.

/** What a stage tells the outside while it works. Metrics are 0-1 floats; durations are seconds. */
export type StageEvent =
  | { type: "phase"; name: string }
  | { type: "progress"; completed: number; total: number; unit: string }
  | { type: "metric"; name: string; value: number | null; step?: number; split?: string }
  | { type: "note"; message: string }
  | { type: "warning"; message: string };
