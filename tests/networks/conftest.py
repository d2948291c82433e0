import torch

torch.set_num_threads(1)  # the threads of tiny layers would only wait for each other
