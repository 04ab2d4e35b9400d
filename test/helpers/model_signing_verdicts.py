"""PyPI model-signing over many cases in one process: reads a JSON list from standard input, prints a JSON list of answers.

A case is ``{"do": "verify", "folder", "signature", "key"}`` or ``{"do": "sign", "folder", "signature", "key", "ignore"}``
(private key, paths to ignore) or ``{"do": "bill", "file"}`` (CycloneDX 1.6 JSON against the schema). An answer is
``{"accepted": bool, "why": str}``. Signing and verifying set hashing up as the command line ``model_signing`` does.
"""

import contextlib
import io
import json
import pathlib
import sys

from model_signing import hashing, signing, verifying


def hashing_config(case: dict) -> hashing.Config:
    """As ``_cli.py`` has it: the signature itself and what the caller names are left out."""
    folder = pathlib.Path(case["folder"]).resolve()
    named = [pathlib.Path(path) for path in [case["signature"], *case.get("ignore", [])]]
    inside = [path.resolve().relative_to(folder) for path in named if path.resolve().is_relative_to(folder)]
    return hashing.Config().set_ignored_paths(paths=inside, ignore_git_paths=True).set_allow_symlinks(False)


def carry_out(case: dict) -> None:
    if case["do"] == "bill":
        from cyclonedx.schema import SchemaVersion  # here, as they take a second to load
        from cyclonedx.validation.json import JsonStrictValidator

        problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(pathlib.Path(case["file"]).read_text("utf-8"))
        if problem is not None:
            raise ValueError(str(problem))
        return
    key = pathlib.Path(case["key"])
    if case["do"] == "sign":
        config = signing.Config().use_elliptic_key_signer(private_key=key)
        config.set_hashing_config(hashing_config(case)).sign(pathlib.Path(case["folder"]), pathlib.Path(case["signature"]))
    else:
        config = verifying.Config().use_elliptic_key_verifier(public_key=key).set_hashing_config(hashing_config(case))
        config.verify(pathlib.Path(case["folder"]), pathlib.Path(case["signature"]))


def answer(case: dict) -> dict:
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints warnings there
            carry_out(case)
    except Exception as error:  # noqa: BLE001 - every refusal is an answer
        return {"accepted": False, "why": f"{type(error).__name__}: {error}"}
    return {"accepted": True, "why": ""}


print(json.dumps([answer(case) for case in json.load(sys.stdin)]))
