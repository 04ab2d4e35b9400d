// Types of compiled-source.js.

export function compileSource(): Promise<{ folder: string; remove(): Promise<void> }>;
