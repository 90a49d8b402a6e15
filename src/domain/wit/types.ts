/** A WIT value type, with every named type resolved. Resources, streams and futures are `opaque`: not callable. */
export type WitType =
  | {
      readonly kind:
        | 'bool'
        | 'u8'
        | 'u16'
        | 'u32'
        | 'u64'
        | 's8'
        | 's16'
        | 's32'
        | 's64'
        | 'f32'
        | 'f64'
        | 'char'
        | 'string';
    }
  | {
      readonly kind: 'list';
      readonly element: WitType /** Fixed length, where the type has one. */;
      readonly length?: number;
    }
  | { readonly kind: 'tuple'; readonly elements: readonly WitType[] }
  | { readonly kind: 'option'; readonly some: WitType }
  | { readonly kind: 'result'; readonly ok: WitType | undefined; readonly err: WitType | undefined }
  | { readonly kind: 'record'; readonly name: string; readonly fields: readonly WitField[] }
  | { readonly kind: 'variant'; readonly name: string; readonly cases: readonly WitCase[] }
  | { readonly kind: 'enum'; readonly name: string; readonly cases: readonly string[] }
  | { readonly kind: 'flags'; readonly name: string; readonly names: readonly string[] }
  | { readonly kind: 'opaque'; readonly what: string };

export interface WitField {
  readonly name: string;
  readonly type: WitType;
}

export interface WitCase {
  readonly name: string;
  readonly type: WitType | undefined;
}

export interface WitFunction {
  /** The full export name: `ping`, or `probe:typed/calc@1.0.0#add`. */
  readonly name: string;
  readonly parameters: readonly WitField[];
  readonly result: WitType | undefined;
}
