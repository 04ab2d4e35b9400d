"""From a *ForSequenceClassification folder to one plain ONNX graph, node by node, with the weights streamed from disk to disk."""
