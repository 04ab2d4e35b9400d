// Which execution provider really ran the nodes of a graph, from a profile that ONNX Runtime wrote. A provider that opened may still have left most nodes to the CPU (onnx.md §8).
import { z } from "zod";

/** One line of a profile: `cat` "Node" is a node's kernel, once each run. */
const eventSchema = z.object({
  cat: z.string(),
  name: z.string(),
  args: z.object({ provider: z.string().optional(), node_index: z.string().optional() }),
});

export interface ProviderShares {
  /** Distinct nodes that ran. */
  nodes: number;
  /** Share of them by provider, 0-1, largest first, such as `{ CUDAExecutionProvider: 0.98, CPUExecutionProvider: 0.02 }`. */
  shares: Record<string, number>;
}

/**
 * Counts each node once, by its kernel event. Copies between devices, which ONNX Runtime inserts, count as nodes too.
 * @param text a profile of ONNX Runtime (enableProfiling), whole.
 * @throws Error when the text is no profile or holds no node.
 */
export function providerShares(text: string): ProviderShares {
  const found = new Map<string, string>();
  for (const line of JSON.parse(text) as unknown[]) {
    const event = eventSchema.safeParse(line).data;
    if (event?.cat !== "Node" || !event.name.endsWith("_kernel_time") || event.args.provider === undefined) continue;
    found.set(event.args.node_index ?? event.name, event.args.provider);
  }
  if (found.size === 0) throw new Error("the profile holds no node");
  const counts = new Map<string, number>();
  for (const provider of found.values()) counts.set(provider, (counts.get(provider) ?? 0) + 1);
  const sorted = [...counts].sort(([left, most], [right, least]) => least - most || (left < right ? -1 : 1));
  return { nodes: found.size, shares: Object.fromEntries(sorted.map(([name, count]) => [name, count / found.size])) };
}

/** `CUDA 98.0 %, CPU 2.0 %`. */
export function sharesText({ shares }: ProviderShares): string {
  return Object.entries(shares)
    .map(([name, share]) => `${name.replace("ExecutionProvider", "")} ${(100 * share).toFixed(1)} %`)
    .join(", ");
}
