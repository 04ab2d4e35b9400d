"""Writes and reads the stand-in with huggingface_hub. run: python python_client.py SOURCE TARGET REPO; HF_ENDPOINT, HF_TOKEN, HF_HOME from outside."""

import hashlib
import json
import sys
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download, snapshot_download


def main(source: str, target: str, repo: str) -> None:
    """Uploads the folder SOURCE as a new private repository, reads REPO back into TARGET, prints what it saw as JSON."""
    api = HfApi()
    mine = repo + "-by-python"
    api.create_repo(mine, private=True, exist_ok=True)
    api.create_repo(mine, private=True, exist_ok=True)
    commit = api.upload_folder(repo_id=mine, folder_path=source, commit_message="by Python")
    api.create_tag(mine, tag="v1")
    api.create_tag(mine, tag="v1", exist_ok=True)
    api.create_branch(mine, branch="other")
    references = api.list_repo_refs(mine)
    folder = Path(snapshot_download(repo, local_dir=target))
    one = Path(hf_hub_download(repo, "onnx/model.onnx", cache_dir=target + "-cache"))
    print(
        json.dumps(
            {
                "who": api.whoami()["name"],
                "commit": commit.oid,
                "head": api.model_info(mine).sha,
                "private": api.model_info(mine).private,
                "tags": [tag.name for tag in references.tags],
                "branches": sorted(branch.name for branch in references.branches),
                "written": sorted(entry.path for entry in api.list_repo_tree(mine, recursive=True) if hasattr(entry, "size")),
                "listed": {
                    entry.path: entry.lfs.sha256 if entry.lfs else entry.blob_id
                    for entry in api.list_repo_tree(repo, recursive=True)
                    if hasattr(entry, "blob_id")
                },
                "read": {
                    str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
                    for path in sorted(folder.rglob("*"))
                    if path.is_file() and ".cache" not in path.parts
                },
                "one": hashlib.sha256(one.read_bytes()).hexdigest(),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
