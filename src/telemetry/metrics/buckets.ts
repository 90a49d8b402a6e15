/** Upper bounds of histograms, in seconds. */

/** From what a function takes that does nothing to the longest timeouts. */
export const runSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];

/** A disk syncs in a tenth of a millisecond to some seconds. */
export const commitSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** From a guest host that is there to a container whose image is large. */
export const startSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
