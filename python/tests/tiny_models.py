"""Builds tiny real models with real tokenizers for tests: deterministic, offline, in seconds. Not for anything that must rank well.

run: python python/tests/tiny_models.py KIND OUT_DIR [--labels N] [--plain] [--layers N]
"""
from __future__ import annotations

import argparse
import json
import math
import os
from collections import Counter

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

KINDS = ("bert", "roberta", "xlm-roberta", "modernbert")
VOCABULARY = 700

TEXT = """
The court dismissed the appeal because the deadline for filing had passed two weeks earlier.
A patient with acute bronchitis should drink enough water, rest, and avoid smoke.
Which form do I need to apply for a parking permit in the old town?
Reset the router by holding the small button for ten seconds until the light turns green.
Typhoid fever with heart involvement; typhoid arthritis; infection due to Salmonella enteritidis, unspecified.
Der Mieter kann die Miete mindern, wenn die Wohnung einen erheblichen Mangel aufweist.
Die Kündigung bedarf der Schriftform; eine Übermittlung durch Telefax genügt nicht.
Le salarié bénéficie d'un congé payé de deux jours et demi par mois de travail effectif.
El comprador deberá notificar el defecto dentro de los seis meses siguientes a la entrega.
Пользователь может изменить пароль на странице настроек. Ошибка соединения с сервером.
患者は三日前から発熱と咳があり、肺炎が疑われた。契約は双方の署名により成立する。
用户可以在设置页面更改密码。 该合同自签字之日起生效。
사용자는 설정 페이지에서 비밀번호를 변경할 수 있습니다.
يجوز للمستأجر إنهاء العقد بإشعار كتابي قبل ثلاثين يوما.
Prices: 1,234.50 EUR (net), 15 % VAT; order no. A-77/2024, see https://example.org/help?id=42.
def add(a, b): return a + b  # sums two numbers
"""


def _lines() -> list[str]:
    return [line for line in TEXT.strip().splitlines() if line]


def _pair_template(tokenizer: Tokenizer, start: str, end: str, *, double_end: bool, segments: bool) -> processors.PostProcessor:
    second = 1 if segments else 0
    middle = f"{end}:0 {end}:0" if double_end else f"{end}:0"
    return processors.TemplateProcessing(
        single=f"{start}:0 $A:0 {end}:0",
        pair=f"{start}:0 $A:0 {middle} $B:{second} {end}:{second}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (start, end)],
    )


def _frequent_pieces(words: list[str], continuation: str) -> list[tuple[str, int]]:
    """Every single character, then the pieces that cover most text, in an order that never changes.

    The trainers for WordPiece and Unigram are left out: ties make their result change from run to run.
    """
    counts: Counter[str] = Counter()
    for word in words:
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + 8) + 1):
                counts[(continuation if start else "") + word[start:end]] += 1
    letters = set("".join(words))
    single = {piece: max(counts[piece], 1) for letter in letters for piece in (letter, continuation + letter)}
    longer = sorted(((piece, count) for piece, count in counts.items() if piece not in single and count > 1), key=lambda item: (-item[1] * len(item[0]), item[0]))
    chosen = list(single.items()) + longer[: max(0, VOCABULARY - len(single))]
    return sorted(chosen, key=lambda item: (-item[1], item[0]))


def _word_piece() -> tuple[Tokenizer, dict[str, str]]:
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    normalizer, pre_tokenizer = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    words = [word for line in _lines() for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(line))]
    pieces = [*special.values(), *(piece for piece, _ in _frequent_pieces(words, "##"))]
    tokenizer = Tokenizer(models.WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre_tokenizer, decoders.WordPiece()
    tokenizer.add_special_tokens(list(special.values()))
    tokenizer.post_processor = _pair_template(tokenizer, "[CLS]", "[SEP]", double_end=False, segments=True)
    return tokenizer, special


def _byte_level(special: dict[str, str], order: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=order, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(_lines(), trainer)
    return tokenizer


def _roberta() -> tuple[Tokenizer, dict[str, str]]:
    special = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    tokenizer = _byte_level(special, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    start, end = ("<s>", tokenizer.token_to_id("<s>")), ("</s>", tokenizer.token_to_id("</s>"))
    tokenizer.post_processor = processors.RobertaProcessing(end, start, trim_offsets=True, add_prefix_space=False)
    return tokenizer, special


def _modernbert() -> tuple[Tokenizer, dict[str, str]]:
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    tokenizer = _byte_level(special, list(special.values()))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = _pair_template(tokenizer, "[CLS]", "[SEP]", double_end=False, segments=False)
    return tokenizer, special


def _unigram() -> tuple[Tokenizer, dict[str, str]]:
    """SentencePiece-like pieces with log frequencies as scores."""
    special = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    # sentencepiece's nmt_nfkc in parts that every tokenizer library knows: NFKC, and any run of white space as one space
    normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    words = ["▁" + word for line in _lines() for word in normalizer.normalize_str(line).split()]
    chosen = _frequent_pieces(words, "")
    total = float(sum(count for _, count in chosen))
    scores = [(piece, round(math.log(count / total), 4)) for piece, count in chosen]
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *scores, ("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")])
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.post_processor = _pair_template(tokenizer, "<s>", "</s>", double_end=True, segments=False)
    return tokenizer, special


TOKENIZERS = {"bert": _word_piece, "roberta": _roberta, "xlm-roberta": _unigram, "modernbert": _modernbert}
CLASSES = {
    "bert": ("BertConfig", "BertForSequenceClassification"),
    "roberta": ("RobertaConfig", "RobertaForSequenceClassification"),
    "xlm-roberta": ("XLMRobertaConfig", "XLMRobertaForSequenceClassification"),
    "modernbert": ("ModernBertConfig", "ModernBertForSequenceClassification"),
}


def _config(kind: str, tokenizer: Tokenizer, special: dict[str, str], labels: int, layers: int | None) -> transformers.PreTrainedConfig:
    offset = 2 if kind in ("roberta", "xlm-roberta") else 0  # their positions start behind the padding id
    values = dict(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=layers or (3 if kind == "modernbert" else 2),
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=512 + offset,
        pad_token_id=tokenizer.token_to_id(special["pad_token"]),
        num_labels=labels,
    )
    if kind == "modernbert":
        ids = {name: tokenizer.token_to_id(special[f"{name}_token"]) for name in ("cls", "sep")}
        values |= dict(cls_token_id=ids["cls"], sep_token_id=ids["sep"], bos_token_id=ids["cls"], eos_token_id=ids["sep"], local_attention=16, initializer_range=0.2, initializer_cutoff_factor=2.0)
    else:
        values |= dict(type_vocab_size=2 if kind == "bert" else 1, initializer_range=0.2)
    return getattr(transformers, CLASSES[kind][0])(**values)


def build(kind: str, out_dir: str, *, labels: int = 1, plain: bool = False, seed: int = 0, layers: int | None = None) -> None:
    """Writes config.json, model.safetensors, tokenizer.json, tokenizer_config.json. `plain` leaves the classification head out. `layers`: 3 of ModernBERT, else 2."""
    tokenizer, special = TOKENIZERS[kind]()
    config = _config(kind, tokenizer, special, labels, layers)
    torch.manual_seed(seed)
    model = getattr(transformers, CLASSES[kind][1])(config)
    if plain:
        model = model.base_model
        model.config.architectures = [type(model).__name__]
    os.makedirs(out_dir, exist_ok=True)
    model.save_pretrained(out_dir)
    tokenizer.save(os.path.join(out_dir, "tokenizer.json"))
    with open(os.path.join(out_dir, "tokenizer_config.json"), "w", encoding="utf-8") as file:
        json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **special}, file, indent=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("out_dir")
    parser.add_argument("--labels", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="an encoder without a head")
    parser.add_argument("--layers", type=int)
    arguments = parser.parse_args()
    build(arguments.kind, arguments.out_dir, labels=arguments.labels, plain=arguments.plain, layers=arguments.layers)


if __name__ == "__main__":
    main()
