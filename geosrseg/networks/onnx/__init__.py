"""Writes a network as an ONNX graph, and reads its weights back."""
