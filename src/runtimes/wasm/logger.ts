export interface WasmLogger {
  warn(details: object, message: string): void;
}
