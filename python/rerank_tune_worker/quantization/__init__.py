"""From the float32 graph of the export job to smaller ones: batch-invariant int8 (onnx.md §10) and fp16 (onnx.md §3.5)."""
