/** Which executions have a trace: those whose caller has one, and of the others some. */
import type { ExecutionTrace, TraceContext, TraceSampling } from './trace.ts';

/** Where nobody makes spans: what the caller says is kept for the function. */
export const passedOnTraces: TraceSampling = { traceFor: (context) => context };

export interface SamplingOptions {
  /** The part of those that begin a trace of their own, from 0 to 1. */
  readonly ratio: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** 32 random hex digits, not all zero. */
  readonly traceId: () => string;
}

/** Spans are made of what a caller has sampled; where it says nothing, of a part. */
export function sampledTraces({ ratio, random, traceId }: SamplingOptions): TraceSampling {
  return {
    traceFor(context): ExecutionTrace | undefined {
      if (context !== undefined) return context.sampled ? withSpans(context) : context;
      return random() < ratio ? { traceId: traceId(), sampled: true, spans: true } : undefined;
    },
  };
}

function withSpans(context: TraceContext): ExecutionTrace {
  return { ...context, spans: true };
}
