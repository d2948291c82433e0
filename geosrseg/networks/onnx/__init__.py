"""Writing a network as an ONNX graph."""
