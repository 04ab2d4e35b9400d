"""The Rust half of tokenizer.mjs. Standard input: one JSON line with the setup, then one set's name a line; answers with the seconds of this process."""
import json
import sys
import time

import tokenizers


def main() -> None:
    setup = json.loads(sys.stdin.readline())
    tokenizer = tokenizers.Tokenizer.from_file(setup["tokenizer"])
    sets = {name: json.load(open(path, encoding="utf-8")) for name, path in setup["sets"].items()}
    for name, texts in sets.items():
        with open(setup["sets"][name] + ".ids", "w", encoding="utf-8") as file:
            json.dump([tokenizer.encode(text, add_special_tokens=False).ids for text in texts], file)
    print(json.dumps({"version": tokenizers.__version__}), flush=True)
    for line in sys.stdin:
        started = time.process_time()
        for text in sets[line.strip()]:
            tokenizer.encode(text, add_special_tokens=False)
        print(json.dumps({"seconds": time.process_time() - started}), flush=True)


main()
