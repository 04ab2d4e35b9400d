// Texts in 40 scripts and symbol blocks, made by a seed: the twin of test/fixtures/hostile_texts.py, text for text.

type Block = readonly [first: number, last: number];

const BLOCKS: readonly Block[] = [
  [0x20, 0x7e],
  [0xa0, 0x24f],
  [0x250, 0x36f],
  [0x370, 0x3ff],
  [0x400, 0x52f],
  [0x530, 0x58f],
  [0x590, 0x5ff],
  [0x600, 0x6ff],
  [0x700, 0x74f],
  [0x900, 0x97f],
  [0x980, 0x9ff],
  [0xa00, 0xa7f],
  [0xa80, 0xaff],
  [0xb80, 0xbff],
  [0xc00, 0xc7f],
  [0xe00, 0xe7f],
  [0xe80, 0xeff],
  [0xf00, 0xfff],
  [0x1000, 0x109f],
  [0x10a0, 0x10ff],
  [0x1100, 0x11ff],
  [0x1200, 0x137f],
  [0x1780, 0x17ff],
  [0x1e00, 0x1eff],
  [0x2000, 0x206f],
  [0x2070, 0x218f],
  [0x2190, 0x27bf],
  [0x2e80, 0x2fdf],
  [0x3000, 0x30ff],
  [0x3100, 0x33ff],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfb00, 0xfdff],
  [0xfe00, 0xffef],
  [0x1f1e6, 0x1f1ff],
  [0x1f300, 0x1faff],
  [0x1d400, 0x1d7ff],
  [0x20000, 0x2a6df],
  [0x0, 0x1f],
];

const BETWEEN: readonly string[] = [
  " ",
  "  ",
  "\n",
  "\r\n",
  "a",
  "e",
  "1",
  "\ufb01",
  "\uff76",
  "\u0300",
  "\u0301",
  "\u0302",
  "\u0308",
  "\u0327",
  "\u0344",
  "\u200d",
  "\u200c",
  "\ufe0f",
  "\u20e3",
  "\u3099",
  "\u309a",
  "\u064b",
  "\u0651",
  "\u0653",
  "\u094d",
  "\ud83c\udffb",
  "\u0000",
  "\u00ad",
  "\ufeff",
  "\u200b",
  "\u2581",
  "<s>",
  " </s> ",
  "<mask>",
  "[CLS]",
  "[UNK]",
];

export function* hostileTexts(count: number, seed: number): Generator<string> {
  let state = seed;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
  const oneOf = <Item>(items: readonly Item[]): Item => items[draw(items.length)] as Item;
  const character = ([first, last]: Block) => String.fromCodePoint(first + draw(last - first + 1));
  for (let index = 0; index < count; index++) {
    const length = 1 + draw(60);
    const mixed = draw(2) === 1;
    const block = oneOf(BLOCKS);
    let text = "";
    for (let part = 0; part < length; part++)
      text += draw(10) < (mixed ? 7 : 8) ? character(mixed ? oneOf(BLOCKS) : block) : oneOf(BETWEEN);
    yield text;
  }
}
