// Which processors compute an int8 graph as it was measured. Pure; who asks brings the instruction sets.

/** Instruction sets of x86 that add products of 8-bit integers in 32 bits; others saturate at 16 (onnx.md §3.2, docs/decisions/0020-int8-by-processor.md). */
const ADDS_IN_32_BITS = ["avx512_vnni", "avx_vnni", "amx_int8"];

export interface Processor {
  /** As `os.arch()` says it. */
  arch: string;
  /** Of Linux' /proc/cpuinfo; empty where the system does not tell. */
  flags: readonly string[];
}

/** Whether products of 8-bit weights are exact there. Where the flags are not known, x86 counts as one that saturates. */
export function adds8BitExactly({ arch, flags }: Processor): boolean {
  return arch !== "x64" || ADDS_IN_32_BITS.some((flag) => flags.includes(flag));
}

/** For people: what int8 weights of so many bits are for. */
export function processorsOf(weightBits: number): string {
  return weightBits < 8
    ? `${weightBits}-bit weights, exact on every x86 and ARM64 processor`
    : "8-bit weights, for x86 with VNNI or AMX and for ARM64; on older x86 their products saturate, so quantize with `quantize.weight_bits: 7` for those";
}
