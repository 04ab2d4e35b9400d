// How a file is read in pieces, wherever it lies: on disk or behind a server that gives parts of files. A type only.

/** Gives up to `length` bytes from `offset`; fewer only at the end of the file. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;
