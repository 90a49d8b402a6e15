/** What the log of a node tells, and how; both can be changed while it runs. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A JSON object a line, for programs; or a line that people read. */
export const logFormats = ['json', 'pretty'] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LogSettings {
  /** The least that is told. */
  readonly level: LogLevel;
  readonly format: LogFormat;
}

export interface LogControl {
  readonly settings: LogSettings;
  /** From the next line on. */
  change(wanted: Partial<LogSettings>): void;
}
