"""The part of rerank-tune that needs torch or the onnx package. TypeScript decides; this package computes."""

__version__ = "0.1.0"
