"""Built-in query-passage pairs that have broken tokenizers and exporters before (onnx.md §1.3). All texts were written for this file."""
from __future__ import annotations

# Longest passage made for the truncation probes; attention grows with the square of the length.
LONGEST = 1400

PHRASES = [
    ("English, legal", "When does a claim for damages become time-barred?", "The limitation period is three years; it starts at the end of the year in which the claim arose and the creditor learnt of it."),
    ("English, medical", "first aid for a nosebleed", "Sit upright, lean slightly forward and press the soft part of the nose together for ten minutes."),
    ("English, unrelated", "How do I renew a passport?", "Granite is formed when magma cools slowly below the surface."),
    ("German, legal", "Wann darf der Mieter die Miete mindern?", "Hat die Wohnung einen Mangel, der ihre Tauglichkeit aufhebt, so ist der Mieter für diese Zeit von der Zahlung befreit."),
    ("German, medical", "Welche Nebenwirkungen hat Paracetamol?", "Bei Überdosierung drohen schwere Leberschäden; die Tageshöchstdosis für Erwachsene beträgt vier Gramm."),
    ("German, long compounds", "Rechtsschutzversicherungsgesellschaften", "Das Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz ist außer Kraft."),
    ("French, legal", "Quel est le délai de rétractation ?", "L'acheteur dispose de quatorze jours à compter de la réception du bien pour se rétracter, sans avoir à motiver sa décision."),
    ("French, medical", "traitement de l'hypertension", "La réduction du sel, l'activité physique et, au besoin, un médicament abaissent la pression artérielle."),
    ("Italian, legal", "Chi risponde dei vizi della cosa venduta?", "Il venditore è tenuto a garantire che la cosa sia immune da vizi che ne diminuiscano in modo apprezzabile il valore."),
    ("Italian, medical", "sintomi dell'appendicite", "Il dolore comincia vicino all'ombelico e si sposta in basso a destra; spesso si aggiungono febbre e nausea."),
    ("Russian", "Как изменить пароль?", "Пароль меняют на странице настроек; новый должен отличаться от старого."),
    ("Greek", "Ποια είναι η πρωτεύουσα;", "Η Αθήνα είναι η πρωτεύουσα και η μεγαλύτερη πόλη της χώρας."),
    ("Arabic with vowel signs", "مَتَى يَبْدَأُ العَقْدُ؟", "يَبْدَأُ سَرَيَانُ العَقْدِ من تاريخ توقيعه، شكراً ﷺ."),
    ("Hebrew", "מתי נפתחת הספרייה?", "הספרייה פתוחה בימים ראשון עד חמישי."),
    ("Hindi", "पासवर्ड कैसे बदलें?", "सेटिंग्स पृष्ठ पर जाकर नया पासवर्ड चुनें।"),
    ("Chinese", "合同什么时候生效？", "本合同自双方签字之日起生效，有效期为两年。"),
    ("Japanese", "肺炎の症状は何ですか。", "発熱、咳、息切れが主な症状で、胸の痛みを伴うこともある。"),
    ("Korean", "비밀번호를 어떻게 바꾸나요?", "설정 페이지에서 새 비밀번호를 입력하면 됩니다."),
    ("Thai, without spaces", "เปลี่ยนรหัสผ่านอย่างไร", "ไปที่หน้าการตั้งค่าแล้วเลือกรหัสผ่านใหม่"),
    ("Georgian", "როდის იწყება შეხვედრა?", "შეხვედრა ათ საათზე იწყება."),
    ("mixed scripts", "API ключ für 東京?", "Der API-Schlüssel (ключ) gilt nur für den Server in 東京 – nicht για την Αθήνα."),
    ("numbers and signs", "§ 433 Abs. 2 BGB; 1.234,50 € @ 15 %", "Order no. A-77/2024: <b>3×</b> 0.5 µg/ml ≥ 10⁻⁶, see https://example.org/a?b=c&d=1#e"),
    ("source code", "def add(a, b):\n    return a + b", "function add(a, b) {\n\treturn a + b;\n}"),
]

UNICODE = [
    ("emoji with joiners", "👩‍👩‍👧‍👦 family", "flag 🏳️‍🌈 and skin tone 👍🏽, heart ❤️"),
    ("NUL and control characters", "a\x00b\x07c", "one\x00two\x1fthree\x7f\x85four"),
    ("compatibility character with combining mark", "ｆ́ ﬁ́ ①̂", "ﬃ ½ ² ℌ Å ｆ́"),
    ("half-width kana with voicing marks", "ｶﾞｷﾞｸﾞ ﾊﾟﾋﾟ", "ｱｲｳｴｵ ｶﾞﾗｽ"),
    ("Hangul jamo", "\u1112\u1161\u11ab\u1100\u116e\u11a8 \u110b\u1165", "\u1100\u1161\u11a8 \u3131\u314f\u3131 \u1112\u1161\u11ab"),
    ("Arabic ligatures with tanwin", "ﻻً ﷲ", "ﺍﻟﺴﻼﻡ ﻋﻠﻴﻜﻢً"),
    ("invisible characters", "zero\u200bwidth\u200djoin\u200cer\ufeff", "soft\u00adhyphen non\u00a0breaking\u2028line\u0344"),
    ("decomposed accents", "cafe\u0301 nai\u0308ve", "Zu\u0308rich A\u030angstro\u0308m"),
    ("unassigned and private characters", "\ue000\uf8ff \U000e0041", "\ufffd \ufdd0 \U0001faff"),
]

SPACES = [
    ("empty passage", "What is a reranker?", ""),
    ("empty query", "", "A reranker orders the passages that a first stage found."),
    ("empty pair", "", ""),
    ("white space only", "   ", "\t\n \u3000"),
    ("spaces around and inside", "  two  spaces ", "a   b\t\tc \r\n d  "),
    ("one character each", "a", "b"),
    ("a single full stop", ".", "."),
]


def probe_pairs(max_length: int) -> list[tuple[str, str, str]]:
    """Name, query and passage of every probe; the last ones are longer than `max_length` tokens (up to LONGEST words)."""
    count = min(2 * max_length, LONGEST)
    words = " ".join(f"section {number} of the report" for number in range(count // 4))
    dense = "契約は双方の署名により成立する。" * (count // 12 + 1)
    return PHRASES + UNICODE + SPACES + [
        ("long passage", "Which section is the last?", words),
        ("long query", words, "A short passage."),
        ("long on both sides", words, "On the other hand, " + words),
        ("long passage without spaces", "契約はいつ成立しますか。", dense),
        ("one long word", "x" * 300, "Donaudampfschifffahrt" * 30),
    ]
