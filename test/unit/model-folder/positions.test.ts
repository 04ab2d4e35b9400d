import { expect, test } from "vitest";
import { tokenPositions } from "../../../src/model-folder/positions.js";

test.each([
  [{ model_type: "bert", max_position_embeddings: 512 }, 512],
  [{ model_type: "xlm-roberta", max_position_embeddings: 514, pad_token_id: 1 }, 512],
  [{ model_type: "xlm-roberta", max_position_embeddings: 8194 }, 8192],
  [{ model_type: "roberta", max_position_embeddings: 130, pad_token_id: 0 }, 129],
  [{ model_type: "camembert", max_position_embeddings: 514, pad_token_id: 1 }, 512],
  [{ model_type: "mpnet", max_position_embeddings: 514, pad_token_id: 1 }, 512],
  [{ model_type: "modernbert", max_position_embeddings: 8192, pad_token_id: 50283 }, 8192],
  [{ max_position_embeddings: 256 }, 256],
  [{ model_type: "xlm-roberta" }, undefined],
])("%j has places for %j tokens", (config, tokens) => {
  expect(tokenPositions(config)).toBe(tokens);
});
